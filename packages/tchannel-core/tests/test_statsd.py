"""What StatsdHook counts and times."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tchannel import errors
from tchannel.event import EventEmitter, EventRegistrar, EventType
from tchannel.request import Request, TransportHeaders
from tchannel.response import Response
from tchannel.stats import CallEnded
from tchannel.statsd import StatsdHook


class Client:
    """A statsd client that remembers."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.timings: list[tuple[str, float]] = []

    def incr(self, key: str, count: int) -> None:
        self.counts[key] += count

    def timing(self, key: str, milliseconds: float) -> None:
        self.timings.append((key, milliseconds))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def watch() -> Clock:
    return Clock()


@pytest.fixture
def fire(client: Client, watch: Clock) -> Callable[..., None]:
    emitter = EventEmitter()
    EventRegistrar(emitter).register(StatsdHook(client, clock=watch))
    return emitter.fire


@pytest.fixture
def request_() -> Request:
    return Request(
        service="key.value", endpoint="KeyValue::get", transport=TransportHeaders(caller_name="me")
    )


NAMES = "me.key-value.KeyValue-get"


def test_an_attempt_is_counted_as_sent(fire: Any, client: Client, request_: Request) -> None:
    fire(EventType.before_send_request, request_)
    fire(EventType.before_send_request, request_)
    assert client.counts == {f"tchannel.outbound.calls.sent.{NAMES}": 2}


@pytest.mark.parametrize(("status", "key"), [(0, "success"), (1, "app-errors")])
def test_a_response_is_counted_by_its_status(
    fire: Any, client: Client, request_: Request, status: int, key: str
) -> None:
    fire(EventType.after_receive_response, request_, Response(status=status))
    assert client.counts == {f"tchannel.outbound.calls.{key}.{NAMES}": 1}


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (EventType.after_receive_system_error, "system-errors"),
        (EventType.after_receive_system_error_per_attempt, "per-attempt.system-errors"),
        (EventType.on_operational_error, "operational-errors"),
        (EventType.on_operational_error_per_attempt, "per-attempt.operational-errors"),
    ],
)
@pytest.mark.parametrize(
    ("error", "name"),
    [
        (errors.TimeoutError(), "timeout"),
        (errors.CanceledError(), "cancelled"),
        (errors.BusyError(), "busy"),
        (errors.DeclinedError(), "declined"),
        (errors.UnexpectedError(), "unexpected-error"),
        (errors.BadRequestError(), "bad-request"),
        (errors.NetworkError(), "network-error"),
        (errors.UnhealthyError(), "unhealthy"),
        (errors.FatalProtocolError(), "fatal-protocol-error"),
        (errors.NoAvailablePeerError(), "NoAvailablePeerError"),
        (errors.TChannelError.from_code(0x42), "TChannelError"),
    ],
)
def test_an_error_is_counted_by_its_name(
    fire: Any, client: Client, request_: Request, event: EventType, key: str, error: Any, name: str
) -> None:
    fire(event, request_, error)
    assert client.counts == {f"tchannel.outbound.calls.{key}.{NAMES}.{name}": 1}


def test_missing_names_are_said_to_be_missing(fire: Any, client: Client) -> None:
    fire(EventType.before_send_request, Request())
    assert list(client.counts) == [
        "tchannel.outbound.calls.sent.no-service.no-target-service.no-target-endpoint"
    ]


def test_characters_with_a_meaning_to_statsd_are_replaced(fire: Any, client: Client) -> None:
    transport = TransportHeaders(caller_name="a/b\\c d")
    fire(EventType.before_send_request, Request(None, None, transport, "{x}::y", "s\n.t"))
    assert list(client.counts) == ["tchannel.outbound.calls.sent.a-b-c-d.s-t.-x-y"]


def test_an_attempt_is_timed_until_its_response(
    fire: Any, client: Client, watch: Clock, request_: Request
) -> None:
    fire(EventType.before_send_request, request_)
    watch.now += 0.25
    fire(EventType.before_send_request, request_)
    watch.now += 0.5
    fire(EventType.after_receive_response, request_, Response(status=1))
    assert client.timings == [(f"tchannel.outbound.calls.per-attempt.latency.{NAMES}", 500.0)]


@pytest.mark.parametrize(
    "event", [EventType.after_receive_system_error, EventType.on_operational_error]
)
def test_a_failed_call_is_not_timed_and_forgotten(
    client: Client, watch: Clock, request_: Request, event: EventType
) -> None:
    hook = StatsdHook(client, clock=watch)
    hook.before_send_request(request_)
    getattr(hook, event.name)(request_, errors.BusyError())
    assert client.timings == []
    assert hook._started == {}


def test_calls_that_end_in_no_event_do_not_fill_the_memory(client: Client, watch: Clock) -> None:
    hook = StatsdHook(client, clock=watch)
    requests = [Request(service="s", endpoint="e") for _ in range(10_100)]
    for request in requests:
        hook.before_send_request(request)
    assert len(hook._started) == 10_000


def test_a_client_that_only_counts_will_do(request_: Request) -> None:
    class Counting:
        counted: list[str] = []

        def count(self, key: str, count: int) -> None:
            self.counted.append(key)

    hook = StatsdHook(Counting())
    hook.before_send_request(request_)
    hook.after_receive_response(request_, Response())
    assert [key.split(".")[3] for key in Counting.counted] == ["sent", "success"]
    assert hook._started == {}


def test_a_client_that_cannot_count_is_refused() -> None:
    with pytest.raises(TypeError, match="statsd must have a method count or incr"):
        StatsdHook(object())


async def test_a_call_is_counted_at_both_ends_under_names_that_dashboards_know(joined):
    mine, theirs = Client(), Client()
    joined.client.hooks.register(StatsdHook(mine, clock=joined.clock.time))
    joined.server.hooks.register(StatsdHook(theirs, clock=joined.clock.time))

    @joined.server.raw.register("slow")
    async def slow(request):
        joined.clock.now += 0.25
        return b""

    await joined.client.raw("server", "slow", b"", hostport=joined.hostport)

    names = "client.server.slow"
    assert mine.counts == {
        f"tchannel.outbound.calls.sent.{names}": 1,
        f"tchannel.outbound.calls.success.{names}": 1,
    }
    assert dict(mine.timings) == {
        f"tchannel.outbound.calls.per-attempt.latency.{names}": pytest.approx(250),
        f"tchannel.outbound.calls.latency.{names}": pytest.approx(250),
    }
    assert theirs.counts == {
        f"tchannel.inbound.calls.recvd.{names}": 1,
        f"tchannel.inbound.calls.success.{names}": 1,
    }
    assert dict(theirs.timings) == {f"tchannel.inbound.calls.latency.{names}": pytest.approx(250)}


async def test_retries_are_counted_by_their_number_and_the_whole_call_is_timed(joined):
    mine, theirs = Client(), Client()
    joined.client.hooks.register(StatsdHook(mine, clock=joined.clock.time))
    joined.server.hooks.register(StatsdHook(theirs, clock=joined.clock.time, names="go"))
    joined.server.raw.register("busy", _busy)

    call = joined.client.raw("server", "busy", b"", hostport=joined.hostport, retry_limit=2)
    await joined.advance(10)
    with pytest.raises(errors.BusyError):
        await call

    names = "client.server.busy"
    assert mine.counts[f"tchannel.outbound.calls.retries.{names}.1"] == 1
    assert mine.counts[f"tchannel.outbound.calls.retries.{names}.2"] == 1
    assert [key for key, _ in mine.timings] == [f"tchannel.outbound.calls.latency.{names}"]
    assert theirs.counts == {
        f"tchannel.inbound.calls.recvd.{names}": 3,
        f"tchannel.inbound.calls.system-errors.{names}": 3,
    }


def _busy(request: Any) -> bytes:
    raise errors.BusyError("no")


@pytest.mark.parametrize("endpoint", ["never", "nowhere"])
async def test_cancels_and_refusals_are_counted_where_they_are_served(joined, settle, endpoint):
    theirs = Client()
    joined.server.hooks.register(StatsdHook(theirs))

    @joined.server.raw.register("never")
    async def never(request):
        await asyncio.get_running_loop().create_future()

    call = joined.client.raw("server", endpoint, b"", hostport=joined.hostport)
    await settle()
    call.cancel()
    await settle()

    counted = {key.removesuffix(f".client.server.{endpoint}") for key in theirs.counts}
    if endpoint == "never":
        assert counted == {
            "tchannel.inbound.calls.recvd",
            "tchannel.inbound.cancels.requested",
            "tchannel.inbound.cancels.honored",
        }
    else:
        assert (
            f"tchannel.inbound.calls.system-errors.client.server.{endpoint}.bad-request" in counted
        )


def test_the_names_of_tchannel_go_are_an_option(client: Client, request_: Request) -> None:
    hook = StatsdHook(client, names="go")
    hook.before_send_request(request_)
    hook.after_receive_response(request_, Response(status=1))
    hook.after_receive_system_error(request_, errors.BusyError())

    assert set(client.counts) == {
        f"tchannel.outbound.calls.send.{NAMES}",
        f"tchannel.outbound.calls.app-errors.{NAMES}",
        f"tchannel.outbound.calls.per-attempt.app-errors.{NAMES}",
        f"tchannel.outbound.calls.system-errors.{NAMES}",
    }
    with pytest.raises(ValueError, match="names must be 'python' or 'go'"):
        StatsdHook(client, names="node")  # type: ignore[arg-type]


def test_no_name_of_a_caller_forges_a_metric(client: Client) -> None:
    hook = StatsdHook(client)
    transport = TransportHeaders(caller_name="x:1|c\nevil:9|c|@0.1|#a,b")
    hook.on_call_served(Request(None, None, transport, "e" * 1000, "s"), CallEnded("success", 0))

    for key in client.counts:
        assert not set(":|@#,\n") & set(key)
        assert len(key) < 300


def test_callers_with_ever_new_names_are_counted_as_others(client: Client) -> None:
    hook = StatsdHook(client)
    for number in range(2_100):
        request = Request(None, None, TransportHeaders(caller_name=f"c{number}"), "e", "s")
        hook.on_call_served(request, CallEnded("success", 0))

    assert client.counts["tchannel.inbound.calls.recvd.others.others.others"] == 100
    assert len(client.counts) == 2 * 2_001


class Failing(Client):
    """One that refuses, or is slow, while it is told to."""

    def __init__(self, watch: Clock) -> None:
        super().__init__()
        self.clock = watch
        self.asked = 0
        self.refuses = False
        self.takes = 0.0

    def incr(self, key: str, count: int) -> None:
        self.asked += 1
        self.clock.now += self.takes
        if self.refuses:
            raise ConnectionRefusedError("nobody listens")
        super().incr(key, count)


@pytest.mark.parametrize("how", ["refuses", "is slow"])
def test_a_statsd_that_is_down_costs_one_line_and_next_to_no_time(
    watch: Clock, request_: Request, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    caplog.set_level("INFO")
    client = Failing(watch)
    hook = StatsdHook(client, clock=watch)
    if how == "refuses":
        client.refuses = True
    else:
        client.takes = 2.0
    for _ in range(1_000):
        hook.on_retry(request_, 1)
        watch.now += 0.01

    assert client.asked <= 6
    assert len(caplog.records) == 1
    assert "statsd takes no metrics" in caplog.text
    assert ("nobody listens" if how == "refuses" else "it took 2 s") in caplog.text

    client.refuses, client.takes = False, 0.0
    watch.now += 31
    hook.on_retry(request_, 1)
    hook.on_retry(request_, 1)
    assert len(caplog.records) == 2
    assert "takes metrics again" in caplog.text
