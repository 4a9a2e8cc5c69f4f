"""What StatsdHook counts and times."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tchannel import errors
from tchannel.event import EventEmitter, EventRegistrar, EventType
from tchannel.request import Request, TransportHeaders
from tchannel.response import Response
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
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fire(client: Client, clock: Clock) -> Callable[..., None]:
    emitter = EventEmitter()
    EventRegistrar(emitter).register(StatsdHook(client, clock=clock))
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
    fire: Any, client: Client, clock: Clock, request_: Request
) -> None:
    fire(EventType.before_send_request, request_)
    clock.now += 0.25
    fire(EventType.before_send_request, request_)
    clock.now += 0.5
    fire(EventType.after_receive_response, request_, Response(status=1))
    assert client.timings == [(f"tchannel.outbound.calls.per-attempt.latency.{NAMES}", 500.0)]


@pytest.mark.parametrize(
    "event", [EventType.after_receive_system_error, EventType.on_operational_error]
)
def test_a_failed_call_is_not_timed_and_forgotten(
    client: Client, clock: Clock, request_: Request, event: EventType
) -> None:
    hook = StatsdHook(client, clock=clock)
    hook.before_send_request(request_)
    getattr(hook, event.name)(request_, errors.BusyError())
    assert client.timings == []
    assert hook._started == {}


def test_calls_that_end_in_no_event_do_not_fill_the_memory(client: Client, clock: Clock) -> None:
    hook = StatsdHook(client, clock=clock)
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
