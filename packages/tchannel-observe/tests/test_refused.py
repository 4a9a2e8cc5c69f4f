"""What is refused before a handler has it is seen by all that look: with one outcome, everywhere."""

import asyncio
import contextlib
from collections import Counter

import pytest

import tchannel_wire as wire
from tchannel import TChannel
from tchannel.authorization import authorize
from tchannel.options import Options
from tchannel.statsd import StatsdHook

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel`")
clocks = pytest.importorskip("tchannel_testing.clock", reason="not installed beside this package")
prometheus_client = pytest.importorskip("prometheus_client", reason="the extra `prometheus`")

from tchannel_observe.prometheus import register

pytestmark = pytest.mark.extra

OUTCOMES = {
    "unknown endpoint": "bad-request",
    "not authorised": "bad-request",
    "bad checksum": "bad-request",
    "busy": "busy",
    "draining": "declined",
    "out of time": "timeout",
}


class Statsd:
    def __init__(self):
        self.counts = Counter()

    def count(self, key, n):
        self.counts[key] += n


class ByHand:
    """A caller that obeys nothing: what is sent is what the test says."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.wire = wire.Connection(opener=True, host_port="0.0.0.0:0", process_name="", now=0.0)

    @classmethod
    async def connect(cls, channel):
        caller = cls(*await asyncio.open_connection("127.0.0.1", channel.port))
        caller.send(caller.wire.data_to_send())
        while caller.wire.remote is None:
            await caller.read()
        return caller

    def send(self, data):
        self.writer.write(data)

    def request(self, endpoint="get", *, ttl=10.0, damaged=False):
        """The frame of a call."""
        prepared = wire.prepare_call(
            "keeper", {"as": "raw", "cn": "by hand"}, endpoint.encode(), wire.ChecksumType.CRC32
        )
        self.wire.call(prepared, b"", b"body", ttl=ttl, tracing=wire.NO_TRACING, now=0.0)
        frame = bytearray(self.wire.data_to_send())
        frame[-1] ^= damaged
        return bytes(frame)

    async def read(self):
        data = await self.reader.read(65536)
        assert data, "the connection was closed"
        return self.wire.receive(data, 0.0)


@contextlib.asynccontextmanager
async def refused(reason, channel, clock, caller):
    """Send one call that is refused for this reason, and what makes it so."""
    release = asyncio.Event()

    @channel.raw.register("wait")
    async def wait(request):
        await release.wait()
        return b""

    @channel.raw.register("slow")
    def slow(request):
        clock.advance(5)
        return b""

    if reason != "unknown endpoint":
        handler = authorize(lambda access: False) if reason == "not authorised" else lambda get: get
        channel.raw.register("get", handler(lambda request: pytest.fail("a handler ran")))

    closing = None
    if reason in ("busy", "draining"):
        caller.send(caller.request("wait"))
        while not channel.stats().in_flight:
            await asyncio.sleep(0.001)
    if reason == "draining":
        closing = asyncio.ensure_future(channel.close(grace=30))
        while channel.stats().state != "draining":
            await asyncio.sleep(0.001)
    if reason == "out of time":
        caller.send(caller.request("slow", ttl=100.0) + caller.request(ttl=1.0))
    else:
        caller.send(caller.request(damaged=reason == "bad checksum"))
    try:
        yield
    finally:
        release.set()
        caller.writer.close()
        if closing is not None:
            await closing


@pytest.mark.parametrize("reason", OUTCOMES)
async def test_what_is_refused_is_told_everywhere(instrumented, reason):
    outcome = OUTCOMES[reason]
    clock = clocks.ManualClock() if reason == "out of time" else None
    statsd, registry = Statsd(), prometheus_client.CollectorRegistry()
    options = Options(max_calls=1 if reason == "busy" else 100)
    async with TChannel("keeper", hostport="127.0.0.1:0", clock=clock, options=options) as channel:
        channel.hooks.register(StatsdHook(statsd))
        channel.listen()
        register(channel, registry=registry)
        caller = await ByHand.connect(channel)
        async with refused(reason, channel, clock, caller):
            row = None
            async with asyncio.timeout(3):
                while row is None or not instrumented.spans("SERVER"):
                    await asyncio.sleep(0.001)
                    rows = [row for row in channel.stats().incoming if outcome in row.outcomes]
                    row = rows[0] if rows else None

            assert row.outcomes == {outcome: 1}
            found = [
                (labels["outcome"], sample.value)
                for family in registry.collect()
                for sample in family.samples
                if sample.name == "tchannel_calls_total"
                for labels in [sample.labels]
                if labels["direction"] == "incoming" and labels["outcome"] == outcome
            ]
            assert found == [(outcome, 1)]
            (key,) = [key for key in statsd.counts if key.endswith(f".{outcome}")]
            assert key.startswith("tchannel.inbound.calls.system-errors.")
            assert statsd.counts[key] == 1
            (span,) = [
                span
                for span in instrumented.spans("SERVER")
                if span.attributes["rpc.response.status_code"] != "success"
            ]
            assert span.attributes["rpc.response.status_code"] == outcome
            assert span.attributes["error.type"] == outcome
            points = [
                point
                for point in instrumented.points("rpc.server.call.duration")
                if point.attributes.get("error.type") == outcome
            ]
            assert [point.count for point in points] == [1]
