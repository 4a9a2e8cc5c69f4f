"""The context of a trace, as calls carry it in headers and in the 25 bytes of tracing."""

import pytest

import tchannel_wire as wire
from tchannel import TChannel
from tchannel.interceptors import Call

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel`")

from opentelemetry import baggage, trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from tchannel_observe.otel import jaeger
from tchannel_observe.otel.propagation import extract, inject

pytestmark = pytest.mark.extra

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
SPAN = 0xB7AD6B7169203331
PARENT = 0x00F067AA0BA902B7
W3C = f"00-{TRACE:032x}-{SPAN:016x}-01"
LOW = TRACE & (2**64 - 1)
NO_SPAN = trace.INVALID_SPAN_CONTEXT


def a_span(trace_id=TRACE, span_id=SPAN, sampled=True):
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return SpanContext(trace_id, span_id, False, flags)


def a_call(scheme="json", headers=None, tracing=None, arg2=None):
    call = Call(
        service="keeper",
        endpoint="get",
        scheme=scheme,
        arg2=b"" if arg2 is None else arg2,
        arg3=b"",
        headers={"as": scheme, "cn": "caller"},
        channel=None,
        outgoing=True,
        timeout=1.0,
        tracing=tracing or wire.Tracing(),
    )
    if headers is not None:
        call.application_headers = headers
    return call


def in_context(span, **items):
    context = trace.set_span_in_context(NonRecordingSpan(span), Context())
    for key, value in items.items():
        context = baggage.set_baggage(key, value, context)
    return context


def found_in(call):
    """The span that a call says it belongs to."""
    return trace.get_current_span(extract(call, Context())).get_span_context()


@pytest.mark.parametrize("scheme", ["json", "thrift", "proto"])
def test_the_context_goes_in_application_headers(scheme):
    call = a_call(scheme, {"own": "header"})

    inject(call, in_context(a_span(), user="ada"), a_span(span_id=PARENT))

    assert call.application_headers == {
        "own": "header",
        "traceparent": W3C,
        "baggage": "user=ada",
        "$tracing$uber-trace-id": f"{TRACE:x}:{SPAN:x}:{PARENT:x}:1",
        "$tracing$uberctx-user": "ada",
    }


def test_raw_headers_that_are_strings_by_name_carry_it_too():
    call = a_call("raw", {"own": "header"})

    inject(call, in_context(a_span()), NO_SPAN)

    assert call.application_headers["traceparent"] == W3C


@pytest.mark.parametrize("arg2", [b"", b"my own bytes"])
def test_raw_headers_stay_as_they_are_and_transport_headers_carry_it(arg2):
    call = a_call("raw", arg2=arg2)

    inject(call, in_context(a_span(), user="ada"), NO_SPAN)

    assert call.arg2 == arg2
    assert call.headers == {
        "as": "raw",
        "cn": "caller",
        "traceparent": W3C,
        "baggage": "user=ada",
    }
    assert found_in(call).trace_id == TRACE


def test_what_fits_no_transport_header_is_left_out():
    call = a_call("raw")

    inject(call, in_context(a_span(), user="a" * 300), NO_SPAN)

    assert "traceparent" in call.headers
    assert "baggage" not in call.headers


def test_no_more_transport_headers_are_added_than_the_protocol_allows():
    call = a_call("raw")
    call.headers.update({f"h{n}": "" for n in range(126)})

    inject(call, in_context(a_span(), user="ada"), NO_SPAN)

    assert len(call.headers) == 128


def test_json_headers_that_are_no_strings_stay_as_they_are():
    call = a_call("json", arg2=b'{"n":1}')

    inject(call, in_context(a_span()), NO_SPAN)

    assert call.arg2 == b'{"n":1}'
    assert call.headers["traceparent"] == W3C


@pytest.mark.parametrize("sampled", [True, False])
def test_the_25_bytes_name_the_span_and_the_low_half_of_its_trace(sampled):
    call = a_call()

    inject(call, in_context(a_span(sampled=sampled)), a_span(span_id=PARENT))

    tracing = call.tracing
    assert (tracing.span_id, tracing.parent_id, tracing.trace_id) == (SPAN, PARENT, LOW)
    assert tracing.traced == sampled


def test_the_first_span_of_a_trace_has_no_parent():
    call = a_call()

    inject(call, in_context(a_span()), a_span(trace_id=TRACE + 1, span_id=PARENT))

    assert call.tracing.parent_id == 0
    assert call.application_headers["$tracing$uber-trace-id"].split(":")[2] == "0"


def test_without_a_span_the_ids_of_the_call_and_its_headers_stay():
    tracing = wire.Tracing(1, 0, 1, 0)
    call = a_call("json", {"traceparent": W3C}, tracing)

    inject(call, Context(), NO_SPAN)

    assert call.tracing is tracing
    assert call.application_headers == {"traceparent": W3C}


def test_headers_that_were_handed_on_of_another_call_are_replaced():
    stale = {
        "traceparent": f"00-{1:032x}-{2:016x}-01",
        "$tracing$traceparent": f"00-{1:032x}-{2:016x}-01",
        "tracestate": "old=1",
        "$tracing$uber-trace-id": "1:2:0:1",
    }
    call = a_call("json", stale)

    inject(call, in_context(a_span()), NO_SPAN)

    assert call.application_headers == {
        "traceparent": W3C,
        "$tracing$uber-trace-id": f"{TRACE:x}:{SPAN:x}:0:1",
    }


@pytest.mark.parametrize("key", ["traceparent", "$tracing$traceparent"])
@pytest.mark.parametrize("scheme", ["json", "thrift", "raw"])
def test_the_w3c_context_is_continued(scheme, key):
    span = found_in(a_call(scheme, {key: W3C}))

    assert (span.trace_id, span.span_id, span.is_remote) == (TRACE, SPAN, True)
    assert span.trace_flags.sampled


@pytest.mark.parametrize("key", ["uber-trace-id", "$tracing$uber-trace-id"])
@pytest.mark.parametrize(
    "value",
    [
        f"{TRACE:x}:{SPAN:x}:0:1",
        f"{TRACE:032X}:{SPAN:016X}:{PARENT:016x}:3",
        f"{TRACE:x}%3A{SPAN:x}%3A0%3A1",
    ],
)
def test_jaegers_context_is_continued(key, value):
    span = found_in(a_call("json", {key: value}))

    assert (span.trace_id, span.span_id) == (TRACE, SPAN)
    assert span.trace_flags.sampled


def test_a_context_of_jaeger_that_is_not_sampled_stays_so():
    span = found_in(a_call("json", {"$tracing$uber-trace-id": f"{TRACE:x}:{SPAN:x}:0:0"}))

    assert span.is_valid
    assert not span.trace_flags.sampled


def test_the_25_bytes_are_continued():
    span = found_in(a_call("raw", tracing=wire.Tracing(SPAN, PARENT, LOW, 1)))

    assert (span.trace_id, span.span_id) == (LOW, SPAN)
    assert span.trace_flags.sampled


def test_bytes_that_say_of_no_trace_are_no_parent():
    assert not found_in(a_call("raw", tracing=wire.Tracing(SPAN, PARENT, LOW, 0))).is_valid
    assert not found_in(a_call("raw", tracing=wire.Tracing(0, 0, 0, 1))).is_valid


def test_headers_handed_on_by_a_traced_service_give_way_to_its_own_span():
    call = a_call("json", {"traceparent": W3C}, wire.Tracing(7, SPAN, LOW, 1))

    span = found_in(call)

    assert (span.trace_id, span.span_id) == (TRACE, 7)


def test_bytes_of_another_trace_do_not_touch_the_headers():
    call = a_call("json", {"traceparent": W3C}, wire.Tracing(7, 8, LOW + 1, 1))

    assert found_in(call).span_id == SPAN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1:2:3",
        "0:2:0:1",
        "1:0:0:1",
        "x:2:0:1",
        "1:2:0:1:1",
        "1" * 33 + ":2:0:1",
        "1:2:0:\udcff",
        "%ff:2:0:1",
        "1:2:0:\u0661",
    ],
)
def test_what_is_no_context_of_jaeger_is_ignored(text):
    assert jaeger.parse(text) is None
    assert not found_in(a_call("json", {"uber-trace-id": text})).is_valid


@pytest.mark.parametrize("value", [1, None, ["00"], {"a": 1}, "00-zz", W3C[:-1], "\udcff"])
def test_what_is_no_w3c_context_is_ignored(value):
    import json

    call = a_call("json", arg2=json.dumps({"traceparent": value, "baggage": value}).encode())

    assert not found_in(call).is_valid


@pytest.mark.parametrize("arg2", [b"{", b"[1]", b"\0\5"])
def test_headers_that_are_none_are_ignored(arg2):
    for scheme in ("json", "thrift", "raw"):
        assert not found_in(a_call(scheme, arg2=arg2)).is_valid


def test_baggage_comes_from_both_kinds_of_headers():
    call = a_call("json", {"baggage": "user=ada", "$tracing$uberctx-shop": "caf%C3%A9"})

    assert dict(baggage.get_all(extract(call, Context()))) == {"user": "ada", "shop": "café"}


def test_the_baggage_of_a_stranger_is_bounded():
    many = {f"$tracing$uberctx-k{n}": "v" for n in range(1000)}
    assert len(baggage.get_all(extract(a_call("json", many), Context()))) <= 180

    large = {f"$tracing$uberctx-k{n}": "v" * 4000 for n in range(1000)}
    taken = baggage.get_all(extract(a_call("json", large), Context()))
    assert sum(len(str(value)) for value in taken.values()) <= 8192


async def test_a_propagator_that_fails_fails_no_call(instrumented, server, client, monkeypatch):
    from opentelemetry import propagate

    class Broken:
        fields = frozenset()

        def extract(self, carrier, context=None, getter=None):
            raise ZeroDivisionError

        inject = extract

    monkeypatch.setattr(propagate, "get_global_textmap", Broken)
    server.json.register("get", lambda request: {"v": 1})

    assert (await client.json("keeper", "get", {})).body == {"v": 1}
    assert instrumented.span("CLIENT").status.is_unset


@pytest.fixture
def keeper(tmp_path):
    """The Thrift service Keeper."""
    pytest.importorskip("tchannel_thrift", reason="not installed beside this package")
    from tchannel import thrift

    path = tmp_path / "keeper.thrift"
    path.write_text("service Keeper { void get() }")
    return thrift.load(str(path), service="keeper").Keeper


@pytest.fixture
def seen():
    """What handlers see of the trace and its baggage."""
    return []


@pytest.fixture
def get(seen):
    """A handler that looks at the trace that it belongs to."""

    async def get(request):
        span = trace.get_current_span().get_span_context()
        seen.append((span.trace_id, dict(baggage.get_all())))

    return get


async def within(instrumented, make_call):
    """Make a call within a span and baggage; return the id of its trace."""
    with instrumented.tracer.start_as_current_span("whole") as span:
        token = attach(baggage.set_baggage("user", "ada", get_current()))
        response = await make_call()
        detach(token)
    if hasattr(response.body, "read"):
        await response.body.read()
    return span.get_span_context().trace_id


@pytest.mark.parametrize(
    "how",
    [
        lambda channel: channel.json("keeper", "get", {}),
        lambda channel: channel.raw("keeper", "get"),
        lambda channel: channel.raw("keeper", "get", b"", b"own bytes"),
        lambda channel: channel.raw("keeper", "get", stream=True),
        lambda channel: channel.raw("keeper", "get", headers={}, string_headers=True),
    ],
    ids=["json", "raw", "raw with headers", "streamed", "raw by name"],
)
async def test_the_trace_and_its_baggage_reach_the_handler(
    instrumented, server, client, get, seen, how
):
    server.json.register("get", get)
    server.raw.register("get", get)

    trace_id = await within(instrumented, lambda: how(client))

    assert seen == [(trace_id, {"user": "ada"})]


async def test_the_trace_and_its_baggage_reach_the_handler_of_a_thrift_call(
    instrumented, server, client, get, seen, keeper
):
    server.thrift.register(keeper)(get)

    trace_id = await within(instrumented, lambda: client.thrift(keeper.get()))

    assert seen == [(trace_id, {"user": "ada"})]


async def test_a_call_with_a_span_of_the_applications_own_belongs_to_it(
    instrumented, server, client
):
    server.raw.register("get", lambda request: b"")

    await client.call("raw", "keeper", "get", tracing_span=wire.Tracing(SPAN, 0, LOW, 1))

    span = instrumented.span("CLIENT")
    assert (span.context.trace_id, span.parent.span_id) == (LOW, SPAN)


async def test_a_service_without_telemetry_in_between_keeps_the_trace_by_the_25_bytes(
    telemetry, server, client
):
    """The service in between hands nothing on but what every call has."""
    from tchannel_observe.otel import TChannelInstrumentor

    seen = []
    server.raw.register("last", lambda request: seen.append(request.tracing))

    @server.raw.register
    async def between(request):
        await client.raw("keeper", "last")

    async with TChannel("first", known_peers=[server.hostport]) as first:
        TChannelInstrumentor.instrument_channel(first, **telemetry.providers)
        await first.raw("keeper", "between")
        TChannelInstrumentor.uninstrument_channel(first)

    (tracing,) = seen
    assert tracing.trace_id == telemetry.span("CLIENT").context.trace_id & (2**64 - 1)
    assert tracing.traced
