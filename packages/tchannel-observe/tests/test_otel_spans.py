"""Spans and durations of calls, by the real SDK in memory."""

import asyncio
import gc

import pytest

from tchannel import Response, TChannel, errors
from tchannel import sync as tchannel_sync
from tchannel.authorization import authorize
from tchannel.interceptors import Reply
from tchannel.options import Options

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel`")
clocks = pytest.importorskip("tchannel_testing.clock", reason="not installed beside this package")

pytestmark = pytest.mark.extra

SERVER = "rpc.server.call.duration"
CLIENT = "rpc.client.call.duration"


async def turn_over():
    """Let the other end of a call see its end as well."""
    for _ in range(20):
        await asyncio.sleep(0.001)


async def ended(instrumented, count):
    """Wait until so many spans have ended."""
    async with asyncio.timeout(10):
        while len(instrumented.spans()) < count:
            await asyncio.sleep(0.001)


async def test_a_call_is_a_client_span_and_a_server_span_in_it(instrumented, server, client):
    server.json.register("get", lambda request: {"v": 1})

    await client.json("keeper", "get", {})
    await ended(instrumented, 2)

    outer, inner = instrumented.span("CLIENT"), instrumented.span("SERVER")
    assert outer.name == inner.name == "keeper/get"
    assert inner.context.trace_id == outer.context.trace_id
    assert inner.parent.span_id == outer.context.span_id
    assert outer.parent is None
    assert outer.status.is_unset
    assert inner.status.is_unset


async def test_a_client_span_says_what_the_conventions_ask_for(instrumented, server, client):
    server.json.register("get", lambda request: {"v": 1})

    await client.json("keeper", "get", {})

    span = instrumented.span("CLIENT")
    assert dict(span.attributes) == {
        "rpc.system.name": "tchannel",
        "rpc.method": "keeper/get",
        "rpc.response.status_code": "success",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "network.transport": "tcp",
        "tchannel.scheme": "json",
    }
    assert span.instrumentation_scope.name == "tchannel_observe.otel"
    assert span.instrumentation_scope.schema_url == "https://opentelemetry.io/schemas/1.45.0"


async def test_a_server_span_says_what_the_conventions_ask_for(instrumented, server, client):
    peers = []
    server.json.register("get", lambda request: peers.append(request.transport.peer))

    await client.json("keeper", "get", {})
    await ended(instrumented, 2)

    port = int(peers[0].rpartition(":")[2])
    assert dict(instrumented.span("SERVER").attributes) == {
        "rpc.system.name": "tchannel",
        "rpc.method": "keeper/get",
        "rpc.response.status_code": "success",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "client.address": "127.0.0.1",
        "client.port": port,
        "network.peer.address": "127.0.0.1",
        "network.peer.port": port,
        "network.transport": "tcp",
        "tchannel.scheme": "json",
        "tchannel.caller_name": "caller",
    }


async def test_durations_are_histograms_in_seconds(instrumented, server, client):
    server.json.register("get", lambda request: {"v": 1})

    await client.json("keeper", "get", {})
    await ended(instrumented, 2)

    (point,) = instrumented.points(CLIENT)
    assert point.count == 1
    span = instrumented.span("CLIENT")
    assert point.sum == pytest.approx((span.end_time - span.start_time) / 1e9, abs=0.05)
    assert point.explicit_bounds[0] == 0.005
    assert dict(point.attributes) == {
        "rpc.system.name": "tchannel",
        "rpc.method": "keeper/get",
        "rpc.response.status_code": "success",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "network.transport": "tcp",
    }
    (point,) = instrumented.points(SERVER)
    assert dict(point.attributes) == {
        "rpc.system.name": "tchannel",
        "rpc.method": "keeper/get",
        "rpc.response.status_code": "success",
    }


def busy():
    raise errors.BusyError("later")


def broken():
    raise KeyError("secret")


@pytest.mark.parametrize(
    ("handler", "error", "code", "text"),
    [
        (busy, errors.BusyError, "busy", "later"),
        (broken, errors.UnexpectedError, "unexpected-error", "'secret'"),
    ],
)
async def test_an_error_is_one_on_both_sides(
    instrumented, server, client, handler, error, code, text
):
    server.raw.register("get", lambda request: handler())

    with pytest.raises(error):
        await client.raw("keeper", "get", retry_on="n")
    await ended(instrumented, 2)

    for span in instrumented.spans():
        assert span.attributes["error.type"] == code
        assert span.attributes["rpc.response.status_code"] == code
        assert span.status.status_code.name == "ERROR"
    assert instrumented.span("SERVER").status.description == text
    assert instrumented.points(CLIENT)[0].attributes["error.type"] == code
    assert instrumented.points(SERVER)[0].attributes["error.type"] == code


async def test_what_a_handler_raised_is_an_event_of_the_server_span_alone(
    instrumented, server, client
):
    server.raw.register("get", lambda request: broken())

    with pytest.raises(errors.UnexpectedError):
        await client.raw("keeper", "get")
    await ended(instrumented, 2)

    (event,) = instrumented.span("SERVER").events
    assert event.name == "exception"
    assert event.attributes["exception.type"] == "KeyError"
    assert event.attributes["exception.message"] == "'secret'"
    assert "in broken" in event.attributes["exception.stacktrace"]
    assert instrumented.span("CLIENT").events == ()


async def test_an_application_error_is_an_error(instrumented, server, client):
    server.json.register("get", lambda request: Response({}, status=1))

    await client.json("keeper", "get", {})
    await ended(instrumented, 2)

    assert {span.attributes["error.type"] for span in instrumented.spans()} == {"app-error"}


async def test_a_call_that_finds_no_peer_names_its_error_and_the_service(instrumented):
    async with TChannel("caller") as lonely:
        with pytest.raises(errors.NoAvailablePeerError):
            await lonely.json("keeper", "get", {}, timeout=0.01)

    span = instrumented.span("CLIENT")
    assert span.attributes["error.type"] == "tchannel.errors.NoAvailablePeerError"
    assert span.attributes["server.address"] == "keeper"
    assert "rpc.response.status_code" not in span.attributes


async def test_a_timeout_ends_both_spans(instrumented, server, client):
    @server.raw.register
    async def hang(request):
        await asyncio.Event().wait()

    with pytest.raises(errors.TimeoutError):
        await client.raw("keeper", "hang", timeout=0.05)
    await ended(instrumented, 2)

    assert instrumented.span("CLIENT").attributes["error.type"] == "timeout"
    assert instrumented.span("SERVER").attributes["error.type"] in {"cancelled", "timeout"}


async def test_a_cancelled_call_ends_both_spans(instrumented, server, client):
    begun = asyncio.Event()

    @server.raw.register
    async def hang(request):
        begun.set()
        await asyncio.Event().wait()

    call = client.raw("keeper", "hang")
    await begun.wait()
    call.cancel()
    await ended(instrumented, 2)

    assert {span.attributes["error.type"] for span in instrumented.spans()} == {"cancelled"}


async def test_a_call_of_a_handler_is_a_child_of_its_request(instrumented, server, client):
    server.raw.register("inner", lambda request: b"")

    @server.raw.register
    async def outer(request):
        await asyncio.sleep(0)
        await asyncio.create_task(client.raw("keeper", "inner").coroutine())

    with instrumented.tracer.start_as_current_span("whole"):
        await client.raw("keeper", "outer")
    await ended(instrumented, 5)

    by_id = {span.context.span_id: span for span in instrumented.spans()}
    inner = next(s for s in instrumented.spans("SERVER") if s.name == "keeper/inner")
    path = [inner]
    while path[-1].parent is not None:
        path.append(by_id[path[-1].parent.span_id])
    assert [(span.kind.name, span.name) for span in path] == [
        ("SERVER", "keeper/inner"),
        ("CLIENT", "keeper/inner"),
        ("SERVER", "keeper/outer"),
        ("CLIENT", "keeper/outer"),
        ("INTERNAL", "whole"),
    ]
    assert len({span.context.trace_id for span in path}) == 1


async def test_requests_do_not_see_each_others_spans(instrumented, server, client):
    from opentelemetry import trace

    seen = {}

    @server.raw.register
    async def get(request):
        await asyncio.sleep(0)
        seen[request.body] = trace.get_current_span().get_span_context().span_id

    await asyncio.gather(*[client.raw("keeper", "get", b"%d" % n) for n in range(10)])
    await ended(instrumented, 20)

    assert len(set(seen.values())) == 10
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_retried_call_is_one_span_that_counts_its_attempts(instrumented, server, client):
    parents = []

    @server.raw.register
    def get(request):
        parents.append(request.tracing.span_id)
        if len(parents) < 3:
            raise errors.BusyError("later")
        return b""

    await client.raw("keeper", "get")
    await ended(instrumented, 4)

    span = instrumented.span("CLIENT")
    assert span.attributes["tchannel.attempts"] == 3
    assert span.status.is_unset
    assert {s.parent.span_id for s in instrumented.spans("SERVER")} == {span.context.span_id}
    assert set(parents) == {span.context.span_id}


async def test_a_streamed_answer_ends_with_its_last_chunk(instrumented, server, client):
    more = asyncio.Event()

    @server.raw.register
    async def count(request):
        yield b"1"
        await more.wait()
        yield b"2"

    response = await client.raw("keeper", "count", stream=True)
    assert instrumented.spans() == []
    more.set()
    assert await response.body.read() == b"12"
    await ended(instrumented, 2)

    assert {s.attributes["rpc.response.status_code"] for s in instrumented.spans()} == {"success"}


async def test_a_streamed_answer_that_fails_in_the_middle_is_an_error(instrumented, server, client):
    more = asyncio.Event()

    @server.raw.register
    async def count(request):
        yield b"1"
        await more.wait()
        raise errors.UnhealthyError("worn out")

    response = await client.raw("keeper", "count", stream=True)
    more.set()
    with pytest.raises(errors.UnhealthyError):
        await response.body.read()
    await ended(instrumented, 2)

    assert {s.attributes["error.type"] for s in instrumented.spans()} == {"unhealthy"}


async def test_a_streamed_answer_that_is_read_no_further_ends_both_spans(
    instrumented, server, client
):
    @server.raw.register
    async def count(request):
        yield b"1"
        await asyncio.Event().wait()

    response = await client.raw("keeper", "count", stream=True)
    await response.body.aclose()
    await ended(instrumented, 2)

    assert instrumented.span("SERVER").attributes["error.type"] == "cancelled"


async def test_a_streamed_answer_that_is_dropped_ends_both_spans(instrumented, server, client):
    @server.raw.register
    async def count(request):
        yield b"1"
        await asyncio.Event().wait()

    async def use():
        return (await client.raw("keeper", "count", stream=True)).status

    async def drop():
        await use()
        await asyncio.sleep(0)
        gc.collect()

    with pytest.warns(ResourceWarning, match="was dropped"):
        await drop()
    await ended(instrumented, 2)


async def test_a_streamed_request_is_a_call_like_others(instrumented, server, client):
    @server.raw.register(stream=True)
    async def take(request):
        return await request.body.read()

    async def body():
        yield b"1"
        yield b"2"

    assert (await client.raw("keeper", "take", body())).body == b"12"
    await ended(instrumented, 2)

    server_span, client_span = instrumented.span("SERVER"), instrumented.span("CLIENT")
    assert server_span.parent.span_id == client_span.context.span_id


async def test_a_call_made_by_a_streaming_handler_is_its_child(instrumented, server, client):
    server.raw.register("inner", lambda request: b"1")

    @server.raw.register
    async def outer(request):
        yield b"0"
        yield (await client.raw("keeper", "inner")).body

    assert (await client.raw("keeper", "outer")).body == b"01"
    await ended(instrumented, 4)

    spans = {(span.kind.name, span.name): span for span in instrumented.spans()}
    parent = spans["SERVER", "keeper/outer"].context
    assert spans["CLIENT", "keeper/inner"].parent.span_id == parent.span_id


async def test_a_call_from_a_thread_is_a_child_of_the_threads_span(instrumented, server):
    server.json.register("get", lambda request: {})

    def work():
        channel = tchannel_sync.TChannel("worker", known_peers=[server.hostport])
        try:
            with instrumented.tracer.start_as_current_span("whole"):
                channel.json("keeper", "get", {}).result(10)
        finally:
            channel.close()

    await asyncio.to_thread(work)
    await ended(instrumented, 3)

    whole, outer = instrumented.span("INTERNAL"), instrumented.span("CLIENT")
    assert outer.parent.span_id == whole.context.span_id
    assert instrumented.span("SERVER").parent.span_id == outer.context.span_id


async def test_a_call_that_an_interceptor_answers_is_a_call(instrumented, client):
    client.interceptors.outgoing.append(lambda call, proceed: Reply(0, b"{}", b"{}"))

    await client.json("keeper", "get", {})

    assert instrumented.span("CLIENT").attributes["rpc.response.status_code"] == "success"


async def test_a_call_that_an_interceptor_refuses_is_a_failed_call(instrumented, client):
    def refuse(call, proceed):
        raise PermissionError("not you")

    client.interceptors.outgoing.append(refuse)

    with pytest.raises(PermissionError):
        await client.json("keeper", "get", {})
    assert instrumented.span("CLIENT").attributes["error.type"] == "PermissionError"


async def test_a_call_with_a_transport_header_that_cannot_be_sent_ends_its_span(
    instrumented, client
):
    def spoil(call, proceed):
        call.headers["much too long for a key"] = "v"
        return proceed(call)

    client.interceptors.outgoing.append(spoil)

    with pytest.raises(ValueError, match="key"):
        await client.json("keeper", "get", {})
    assert instrumented.span("CLIENT").attributes["error.type"] == "ValueError"


async def test_what_callers_make_up_names_no_span_and_no_row_of_metrics(
    instrumented, server, client
):
    server.register(TChannel.FALLBACK)(lambda request: b"")

    for n in range(3):
        await client.raw("keeper", f"made up {n}")
    await ended(instrumented, 6)

    assert {span.name for span in instrumented.spans("SERVER")} == {"tchannel"}
    assert [dict(point.attributes)["rpc.method"] for point in instrumented.points(SERVER)] == [
        "_OTHER"
    ]
    asked = [span.attributes["rpc.method_original"] for span in instrumented.spans("SERVER")]
    assert asked == ["keeper/made up 0", "keeper/made up 1", "keeper/made up 2"]


async def test_a_service_name_that_callers_make_up_is_told_by_the_channels_own(
    instrumented, server, client
):
    server.raw.register("get", lambda request: b"")

    await client.raw("made up", "get")
    await ended(instrumented, 2)

    span = instrumented.span("SERVER")
    assert span.name == "keeper/get"
    assert span.attributes["rpc.method_original"] == "made up/get"


async def test_the_calls_of_a_sub_channel_have_its_name(instrumented, server, client):
    server.service("other").raw.register("get", lambda request: b"")

    await client.raw("other", "get")
    await ended(instrumented, 2)

    assert instrumented.span("SERVER").name == "other/get"


async def test_what_is_suppressed_makes_no_span(instrumented, server, client):
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    server.raw.register("get", lambda request: b"")
    with suppress_instrumentation():
        await client.raw("keeper", "get")
    await ended(instrumented, 1)

    assert instrumented.spans("CLIENT") == []


async def test_calls_over_a_unix_socket_name_its_path(instrumented, tmp_path):
    where = f"unix:{tmp_path}/s"
    async with TChannel("keeper", hostport=where) as server, TChannel("caller") as client:
        server.raw.register("get", lambda request: b"")
        server.listen()
        await client.raw("keeper", "get", hostport=where)
        await ended(instrumented, 2)

    for span in instrumented.spans():
        assert span.attributes["server.address"] == f"{tmp_path}/s"
        assert span.attributes["network.transport"] == "unix"
        assert "server.port" not in span.attributes


async def test_one_channel_may_be_instrumented_alone(telemetry, server, client):
    from tchannel_observe.otel import TChannelInstrumentor

    server.raw.register("get", lambda request: b"")
    TChannelInstrumentor.instrument_channel(client, **telemetry.providers)

    await client.raw("keeper", "get")
    TChannelInstrumentor.uninstrument_channel(client)
    await client.raw("keeper", "get")

    assert [span.kind.name for span in telemetry.spans()] == ["CLIENT"]


async def test_a_channel_that_is_instrumented_twice_says_so(telemetry, client):
    from tchannel_observe.otel import TChannelInstrumentor

    TChannelInstrumentor.instrument_channel(client, **telemetry.providers)
    with pytest.raises(ValueError, match="channel 'caller' are instrumented already"):
        TChannelInstrumentor.instrument_channel(client, **telemetry.providers)

    TChannelInstrumentor.uninstrument_channel(client)
    assert client.interceptors.outgoing == client.interceptors.incoming == []


async def test_a_channel_of_its_own_is_not_counted_again_by_the_process(
    instrumented, server, client
):
    from tchannel_observe.otel import TChannelInstrumentor

    server.raw.register("get", lambda request: b"")
    TChannelInstrumentor.instrument_channel(client, **instrumented.providers)
    try:
        await client.raw("keeper", "get")
    finally:
        TChannelInstrumentor.uninstrument_channel(client)
    await ended(instrumented, 2)
    await turn_over()

    assert len(instrumented.spans("CLIENT")) == 1


def test_an_argument_that_is_not_known_is_refused_and_instruments_nothing():
    from tchannel import interceptors
    from tchannel_observe.otel import TChannelInstrumentor

    with pytest.raises(TypeError, match="tracer_provder"):
        TChannelInstrumentor().instrument(tracer_provder=None)
    assert not TChannelInstrumentor().is_instrumented_by_opentelemetry
    assert interceptors.process_wide.outgoing == []


def test_a_process_that_is_instrumented_twice_says_so(instrumented, caplog):
    from tchannel_observe.otel import TChannelInstrumentor

    TChannelInstrumentor().instrument(**instrumented.providers)

    assert "already instrumented" in caplog.text


async def test_without_a_provider_calls_go_on_as_before(server, client):
    from tchannel_observe.otel import TChannelInstrumentor

    server.json.register("get", lambda request: request.headers)
    TChannelInstrumentor.instrument_channel(client)
    try:
        assert (await client.json("keeper", "get", {}, {"a": "b"})).body == {"a": "b"}
    finally:
        TChannelInstrumentor.uninstrument_channel(client)


async def hang(request):
    await asyncio.get_running_loop().create_future()


def nothing_there(server):
    return "get", errors.BadRequestError


def not_authorised(server):
    server.raw.register("get", authorize(lambda access: False)(lambda request: b""))
    return "get", errors.BadRequestError


def too_many(server):
    server.raw.register("get", hang)
    return "get", errors.BusyError


@pytest.mark.parametrize("reason", [nothing_there, not_authorised, too_many])
async def test_a_call_that_is_refused_before_a_handler_has_it_is_a_server_span(
    telemetry, instrumented, reason
):
    options = Options(max_calls=1)
    async with (
        TChannel("keeper", hostport="127.0.0.1:0", options=options) as server,
        TChannel("caller") as client,
    ):
        server.listen()
        endpoint, kind = reason(server)
        first = None
        if reason is too_many:
            first = client.raw("keeper", endpoint, hostport=server.hostport)
            while not server.stats().in_flight:
                await asyncio.sleep(0.001)
        with pytest.raises(kind) as caught:
            await client.raw("keeper", endpoint, hostport=server.hostport, retry_on="n")
        await ended(instrumented, 2)

        (outer,), (inner,) = instrumented.spans("CLIENT"), instrumented.spans("SERVER")
        code = outer.attributes["rpc.response.status_code"]
        assert inner.attributes["rpc.response.status_code"] == code
        assert inner.attributes["error.type"] == code != "success"
        assert inner.name == ("tchannel" if reason is nothing_there else "keeper/get")
        assert inner.parent.span_id == outer.context.span_id
        assert inner.start_time <= inner.end_time
        assert not inner.status.is_ok
        assert caught.value.code is not None
        (point,) = instrumented.points(SERVER)
        assert dict(point.attributes) == {
            "rpc.system.name": "tchannel",
            "rpc.method": "_OTHER" if reason is nothing_there else "keeper/get",
            "rpc.response.status_code": code,
            "error.type": code,
        }
        if first is not None:
            first.cancel()


async def test_a_call_whose_time_ran_out_before_its_handler_began_is_a_server_span(instrumented):
    clock = clocks.ManualClock()
    async with (
        TChannel("keeper", hostport="127.0.0.1:0", clock=clock) as server,
        TChannel("caller") as client,
    ):
        ran = []

        @server.raw.register("slow")
        def slow(request):
            clock.advance(5)
            ran.append(request)
            return b""

        server.listen()
        calls = [
            client.raw("keeper", "slow", hostport=server.hostport, timeout=1, retry_on="n")
            for _ in range(3)
        ]
        await asyncio.gather(*calls, return_exceptions=True)
        await ended(instrumented, 6)

        assert len(ran) == 1
        codes = [
            span.attributes["rpc.response.status_code"] for span in instrumented.spans("SERVER")
        ]
        assert len(codes) == 3
        assert codes.count("timeout") >= 2


async def test_every_call_makes_one_server_span_and_nothing_is_kept(instrumented, server, client):
    from tchannel_observe.otel import TChannelInstrumentor

    server.raw.register("get", lambda request: b"")
    server.raw.register("broken", lambda request: busy())

    for endpoint in ("get", "broken", "unknown", "get"):
        await asyncio.gather(client.raw("keeper", endpoint, retry_on="n"), return_exceptions=True)
    await ended(instrumented, 8)
    await turn_over()

    assert len(instrumented.spans("SERVER")) == 4
    assert TChannelInstrumentor()._everywhere._seen == set()


async def test_a_channel_alone_has_spans_of_what_it_refuses(telemetry, server, client):
    from tchannel_observe.otel import TChannelInstrumentor

    TChannelInstrumentor.instrument_channel(server, **telemetry.providers)
    with pytest.raises(errors.BadRequestError):
        await client.raw("keeper", "unknown")
    await ended(telemetry, 1)
    TChannelInstrumentor.uninstrument_channel(server)
    with pytest.raises(errors.BadRequestError):
        await client.raw("keeper", "unknown")
    await turn_over()

    assert [span.kind.name for span in telemetry.spans()] == ["SERVER"]
