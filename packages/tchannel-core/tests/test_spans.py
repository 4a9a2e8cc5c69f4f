"""Span, parent and trace ids: made, passed on, kept."""

import pytest

import tchannel_wire as wire
from tchannel import TChannel, errors


@pytest.fixture
def spans(joined):
    seen = []
    joined.server.raw.register("see", lambda request: seen.append(request.tracing))
    return seen


async def see(joined, **kwargs):
    await joined.client.raw("server", "see", hostport=joined.hostport, **kwargs)


async def test_a_call_of_its_own_begins_a_trace(joined, spans):
    await see(joined)
    await see(joined)

    first, second = spans
    assert first.span_id == first.trace_id != 0
    assert first.parent_id == 0
    assert first.trace_id != second.trace_id
    assert first.flags == 0


@pytest.mark.parametrize(("channel", "call", "traced"), [
    (False, None, 0), (True, None, 1), (False, True, 1), (True, False, 0), (1.0, None, 1), (0.0, None, 0),
    (lambda request: request.endpoint == "see", None, 1), (False, lambda request: False, 0),
    (True, lambda request: 0.0, 0),
])  # fmt: skip
async def test_whether_to_trace_is_said_per_call_over_per_channel(
    joined, spans, channel, call, traced
):
    joined.client.trace = channel
    await see(joined, trace=call)

    assert spans[0].flags == traced


async def test_a_rate_traces_its_share(joined, spans):
    for _ in range(400):
        await see(joined, trace=0.5)

    assert 120 < sum(span.flags for span in spans) < 280


async def test_a_nested_call_belongs_to_the_trace_and_is_traced_like_its_parent(joined):
    seen = []
    joined.client.raw.register("inner", lambda request: seen.append(request.tracing))

    @joined.server.raw.register
    async def outer(request):
        seen.append(request.tracing)
        await joined.server.raw("client", "inner", hostport=request.transport.peer, trace=False)

    for trace in (True, False):
        seen.clear()
        await joined.client.raw("server", "outer", hostport=joined.hostport, trace=trace)
        parent, child = seen
        assert child.trace_id == parent.trace_id
        assert child.parent_id == parent.span_id
        assert child.span_id not in (parent.span_id, 0)
        assert child.flags == parent.flags == int(trace)


async def test_a_span_may_be_given(joined, spans):
    import tchannel_wire as wire

    parent = wire.Tracing(1, 2, 3, 1)
    await joined.client.call("raw", "server", "see", hostport=joined.hostport, tracing_span=parent)

    assert (spans[0].parent_id, spans[0].trace_id, spans[0].flags) == (1, 3, 1)


async def test_errors_carry_the_tracing_of_the_call(joined):
    with pytest.raises(errors.BadRequestError) as caught:
        await joined.client.raw("server", "nothing", hostport=joined.hostport)
    assert isinstance(caught.value.tracing, wire.Tracing)
    assert caught.value.tracing.trace_id


@pytest.mark.parametrize(
    ("trace", "error"), [(2, ValueError), (-0.5, ValueError), ("on", TypeError), (None, TypeError)]
)
def test_a_trace_that_is_none_is_refused_at_once(trace, error):
    with pytest.raises(error, match="trace"):
        TChannel("client", trace=trace)
