"""Telemetry on its way to a collector: by OTLP, without a change of the application, and in outages."""

import asyncio
import importlib.util
import logging
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel`")

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import tchannel_wire as wire
from tchannel import TChannel
from tchannel.errors import BadRequestError
from tchannel.interceptors import Call
from tchannel_observe.otel import TChannelInstrumentor, outages
from tchannel_observe.otel.calls import CallTelemetry

pytestmark = pytest.mark.extra

HERE = Path(__file__).parent

_spec = importlib.util.spec_from_file_location("collector", HERE / "collector.py")
collector_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(collector_module)
Collector, attributes_of = collector_module.Collector, collector_module.attributes_of

APPLICATION = """
import asyncio
from tchannel import TChannel

async def main():
    async with TChannel("keeper", hostport="127.0.0.1:0") as server, TChannel("caller") as client:
        server.json.register("get", lambda request: {"v": 1})
        server.listen()
        print((await client.json("keeper", "get", {}, hostport=server.hostport)).body)

asyncio.run(main())
"""


@pytest.fixture
def collector():
    with Collector() as made:
        yield made


@pytest.fixture
def run(collector, tmp_path):
    """A function that runs the application by ``opentelemetry-instrument``."""

    def run(**environment):
        path = tmp_path / "application.py"
        path.write_text(APPLICATION)
        command = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
        return subprocess.run(
            [sys.executable, command, sys.executable, path],
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_SERVICE_NAME": "application",
                **environment,
            },
        )

    return run


def test_an_application_needs_no_change_to_be_traced_and_measured(run, collector):
    done = run()

    assert done.stdout == "{'v': 1}\n"
    spans = {span.kind: span for _, span in collector.spans()}
    client, server = spans[3], spans[2]  # SPAN_KIND_CLIENT, SPAN_KIND_SERVER
    assert client.name == server.name == "keeper/get"
    assert server.trace_id == client.trace_id
    assert server.parent_span_id == client.span_id
    assert attributes_of(server)["rpc.system.name"] == "tchannel"
    assert {attributes_of(resource)["service.name"] for resource, _ in collector.spans()} == {
        "application"
    }
    (point,) = collector.metrics()["rpc.client.call.duration"].histogram.data_points
    assert point.count == 1
    assert attributes_of(point)["rpc.response.status_code"] == "success"
    assert collector.metrics()["rpc.server.call.duration"].unit == "s"


def test_the_usual_variable_switches_it_off(run, collector):
    done = run(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="tchannel")

    assert done.stdout == "{'v': 1}\n"
    assert collector.spans() == []


@pytest.fixture
def exported(collector, monkeypatch, caplog):
    """Providers that send to the collector: often, and with little patience."""
    monkeypatch.setattr(outages, "_filter", outages.OutageFilter())
    url = collector.url
    traces = BatchSpanProcessor(
        OTLPSpanExporter(f"{url}/v1/traces", timeout=0.2),
        max_queue_size=64,
        max_export_batch_size=16,
        schedule_delay_millis=20,
    )
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(traces)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics", timeout=0.2), 50)
    meter_provider = MeterProvider([reader], shutdown_on_exit=False)
    instrumentor = TChannelInstrumentor()
    instrumentor.instrument(tracer_provider=tracer_provider, meter_provider=meter_provider)
    caplog.set_level(logging.WARNING)
    yield traces
    instrumentor.uninstrument()
    collector.status, _ = 200, collector.hold.set()
    tracer_provider.shutdown()
    meter_provider.shutdown()


def refuses(collector):
    collector.status = 503


def forbids(collector):
    collector.status = 403


def slow(collector):
    collector.hold.clear()


@pytest.mark.parametrize("outage", [refuses, forbids, slow])
async def test_an_outage_blocks_nothing_lets_nothing_grow_and_writes_one_line(
    exported, collector, server, client, caplog, outage
):
    server.raw.register("get", lambda request: b"")
    outage(collector)
    queue = exported._batch_processor._queue

    took = []
    ends = time.monotonic() + 1
    while time.monotonic() < ends:
        began = time.monotonic()
        await asyncio.gather(*[client.raw("keeper", "get") for _ in range(20)])
        took.append(time.monotonic() - began)
        assert len(queue) <= 64
        await asyncio.sleep(0.001)

    assert len(took) > 5  # of 40 spans each, of which 64 may wait
    assert statistics.median(took) < 0.15, "calls waited for the collector"
    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 1, lines
    assert lines[0].endswith("(said once for this outage; telemetry is being lost)")


async def test_a_collector_that_is_not_there_blocks_nothing_and_is_told_once(
    monkeypatch, server, client, caplog
):
    monkeypatch.setattr(outages, "_filter", outages.OutageFilter())
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    # Port 9 is "discard"; nobody listens there.
    tracer_provider.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter("http://127.0.0.1:9/v1/traces", timeout=0.2),
            schedule_delay_millis=20,
        )
    )
    server.raw.register("get", lambda request: b"")
    outages.calm_exporters()
    TChannelInstrumentor.instrument_channel(client, tracer_provider)
    try:
        for _ in range(5):
            await client.raw("keeper", "get", timeout=1)
            await asyncio.sleep(0.1)
    finally:
        TChannelInstrumentor.uninstrument_channel(client)
        await asyncio.to_thread(tracer_provider.shutdown)
        outages.let_exporters_talk()

    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 1, lines


async def test_after_an_outage_telemetry_goes_on(exported, collector, server, client):
    server.raw.register("get", lambda request: b"")
    refuses(collector)
    await client.raw("keeper", "get")
    async with asyncio.timeout(10):
        while not collector.requests:
            await asyncio.sleep(0.01)
    collector.status = 200
    collector.requests.clear()
    await client.raw("keeper", "get")

    async with asyncio.timeout(10):
        while not collector.spans():
            await asyncio.sleep(0.01)


def record(level=logging.WARNING):
    return logging.LogRecord("x", level, __file__, 1, "failed: %s", ("why",), None)


def test_the_first_line_of_an_outage_says_that_it_is_said_once():
    now = [0.0]
    calm = outages.OutageFilter(10, lambda: now[0])
    first = record()

    assert calm.filter(first)
    assert first.getMessage().startswith("failed: why (said once")
    for now[0] in (1.0, 9.0, 18.0):
        assert not calm.filter(record())


def test_the_next_outage_is_told_again():
    now = [0.0]
    calm = outages.OutageFilter(10, lambda: now[0])
    calm.filter(record())
    now[0] = 11.0

    assert calm.filter(record())


def test_what_is_no_warning_is_not_touched():
    calm = outages.OutageFilter()
    calm.filter(record())
    said = record(logging.INFO)

    assert calm.filter(said)
    assert said.getMessage() == "failed: why"


def test_an_exporter_is_calmed_once_however_often_it_is_asked_for():
    name = outages._EXPORTERS[0]
    outages.calm_exporters()
    outages.calm_exporters()

    assert logging.getLogger(name).filters.count(outages._filter) == 1
    outages.let_exporters_talk()
    assert outages._filter not in logging.getLogger(name).filters


def test_names_with_lone_surrogates_reach_the_collector(collector):
    """One of them would cost a whole batch."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{collector.url}/v1/traces")))
    channel = TChannel("caller")
    call = Call(
        service="keeper\udcff",
        endpoint="ge\udcfet\0\n",
        scheme="\ud800",
        arg2=b"",
        arg3=b"",
        headers={},
        channel=channel,
        outgoing=True,
        timeout=1.0,
        tracing=wire.Tracing(),
        hostport="unix:/tmp/\udcff",
    )

    def fail(call, proceed=None):
        raise BadRequestError("text\udcff")

    with pytest.raises(BadRequestError):
        CallTelemetry(provider).outgoing(call, fail)
    provider.shutdown()

    ((_, span),) = collector.spans()
    assert span.name == "keeper\\udcff/ge\\udcfet\0\n"
    assert span.status.message == "text\\udcff"
    assert attributes_of(span)["server.address"] == "/tmp/\\udcff"


async def test_an_exception_whose_text_is_no_unicode_reaches_the_collector(collector):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{collector.url}/v1/traces")))
    async with TChannel("keeper", hostport="127.0.0.1:0") as server, TChannel("caller") as client:
        TChannelInstrumentor.instrument_channel(server, provider)

        @server.json.register
        def get(request):
            raise KeyError(request.headers["k"])

        server.listen()
        with pytest.raises(Exception, match="KeyError"):
            await client.json("keeper", "get", {}, {"k": "\udcff"}, hostport=server.hostport)
        TChannelInstrumentor.uninstrument_channel(server)
    await asyncio.to_thread(provider.shutdown)

    ((_, span),) = collector.spans()
    assert attributes_of(span.events[0])["exception.type"] == "KeyError"
