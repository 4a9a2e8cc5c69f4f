"""Traces that go through tchannel-node 4.0.1 and 3.10.1, and tchannel-python 2.1.0, and come back."""

import asyncio
import json

import pytest

from tchannel import Response, TChannel

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` of tchannel-observe")

from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from tchannel_observe.otel import TChannelInstrumentor

LOW = 2**64 - 1


class ShortIds(RandomIdGenerator):
    """Ids of traces that the 25 bytes of tracing have room for."""

    def generate_trace_id(self):
        return self.generate_span_id()


class Traced:
    """A channel of ours with telemetry, its spans, and the application headers that came to it."""

    def __init__(self, ids):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.channel = TChannel("our-service", hostport="127.0.0.1:0")
        self.seen = []
        TChannelInstrumentor.instrument_channel(self.channel, self.provider)
        self.channel.raw.register("echo", self._echo)
        self.channel.json.register("json-echo", self._echo)
        self.channel.listen()

    def _echo(self, request):
        self.seen.append((request.tracing_headers, dict(baggage.get_all())))
        return Response(request.body, request.headers)

    async def spans(self):
        """The client's span and the server's, once both have ended."""
        async with asyncio.timeout(10):
            while len(self.exporter.get_finished_spans()) < 2:
                await asyncio.sleep(0.001)
        found = {span.kind.name: span for span in self.exporter.get_finished_spans()}
        return found["CLIENT"], found["SERVER"]


@pytest.fixture
async def traced():
    made = Traced(ShortIds())
    yield made
    await made.channel.close(grace=1)
    made.provider.shutdown()


@pytest.fixture
async def traced_by_long_ids():
    made = Traced(RandomIdGenerator())
    yield made
    await made.channel.close(grace=1)
    made.provider.shutdown()


async def test_a_peer_is_told_the_span_in_the_25_bytes(traced_by_long_ids, peer):
    ours = traced_by_long_ids
    answer = await ours.channel.raw(peer.service, "reqinfo", hostport=peer.hostport, timeout=4)

    (span,) = ours.exporter.get_finished_spans()
    info = json.loads(answer.body)
    assert info["tracing"]["span"] == f"{span.context.span_id:016x}"
    assert info["tracing"]["trace"] == f"{span.context.trace_id & LOW:016x}"
    assert info["tracing"]["flags"] == 1
    # The headers of raw calls are the application's own bytes.
    assert info["headers"]["traceparent"].split("-")[1] == f"{span.context.trace_id:032x}"
    assert span.attributes["rpc.response.status_code"] == "success"


async def test_a_peer_gets_the_context_in_the_headers_of_a_json_call(traced_by_long_ids, peer):
    ours = traced_by_long_ids
    answer = await ours.channel.json(
        peer.service, "json-echo", {}, {"own": "header"}, hostport=peer.hostport, timeout=4
    )

    (span,) = ours.exporter.get_finished_spans()
    ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
    assert answer.headers["own"] == "header"
    assert answer.headers["traceparent"].startswith(f"00-{ids}-")


async def test_a_trace_goes_on_behind_a_peer(traced, peer):
    ours = traced
    await ours.channel.raw(
        peer.service,
        "relay",
        ours.channel.hostport,
        "our-service",
        hostport=peer.hostport,
        timeout=4,
    )

    client, server = await ours.spans()
    assert client.name == f"{peer.service}/relay"
    assert server.name == "our-service/echo"
    assert server.context.trace_id == client.context.trace_id
    # The peer's own span stands in between, if it has one.
    assert server.parent.is_remote
    assert server.attributes["tchannel.caller_name"] == peer.service


async def test_of_a_long_id_the_low_half_goes_on_behind_a_peer(traced_by_long_ids, peer):
    ours = traced_by_long_ids
    await ours.channel.raw(
        peer.service,
        "relay",
        ours.channel.hostport,
        "our-service",
        hostport=peer.hostport,
        timeout=4,
    )

    client, server = await ours.spans()
    assert server.context.trace_id == client.context.trace_id & LOW


async def test_a_peer_with_jaegers_headers_hands_baggage_on(traced, py21):
    ours = traced
    body = {"service": "our-service", "hostport": ours.channel.hostport}
    token = context.attach(baggage.set_baggage("user", "ada"))
    await ours.channel.json(py21.service, "json-relay", body, hostport=py21.hostport, timeout=4)
    context.detach(token)

    client, server = await ours.spans()
    assert server.context.trace_id == client.context.trace_id
    ((headers, carried),) = ours.seen
    trace_id, span_id, parent_id, _ = headers["uber-trace-id"].split(":")
    assert int(trace_id, 16) == client.context.trace_id
    assert int(span_id, 16) == server.parent.span_id
    assert int(parent_id, 16) != 0
    assert carried == {"user": "ada"}


async def test_a_call_of_a_peer_that_traces_nothing_begins_a_trace(traced, py21):
    # Those of Node trace one call of a hundred by themselves.
    await py21.call_async(traced.channel.hostport, "our-service", "echo")

    async with asyncio.timeout(10):
        while not traced.exporter.get_finished_spans():
            await asyncio.sleep(0.001)
    (span,) = traced.exporter.get_finished_spans()
    assert span.kind.name == "SERVER"
    assert span.parent is None


async def test_a_peer_that_sends_the_w3cs_context_is_continued(traced, peer):
    ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
    await peer.call_async(
        traced.channel.hostport,
        "our-service",
        "json-echo",
        scheme="json",
        head={"traceparent": f"00-{ids}-01"},
        body={},
    )

    async with asyncio.timeout(10):
        while not traced.exporter.get_finished_spans():
            await asyncio.sleep(0.001)
    (span,) = traced.exporter.get_finished_spans()
    assert f"{span.context.trace_id:032x}-{span.parent.span_id:016x}" == ids
