"""What users write against tchannel-observe, for mypy and pyright: both must accept it as it stands."""

from typing import assert_type

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider
from prometheus_client import CollectorRegistry

from tchannel import TChannel
from tchannel.sync import TChannel as SyncTChannel
from tchannel_observe.otel import TChannelInstrumentor
from tchannel_observe.prometheus import ChannelCollector, register, unregister


def traces(channel: TChannel, tracers: TracerProvider, meters: MeterProvider) -> None:
    TChannelInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters, calm=False)
    TChannelInstrumentor().uninstrument()
    TChannelInstrumentor.instrument_channel(channel, tracers, meters)
    TChannelInstrumentor.instrument_channel(SyncTChannel("name"), tracer_provider=tracers)
    TChannelInstrumentor.instrument_channel("name")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TChannelInstrumentor.uninstrument_channel(channel)


def metrics(channel: TChannel) -> None:
    collected = CollectorRegistry()
    collector = register(channel, name="main", registry=collected)
    assert_type(collector, ChannelCollector)
    collected.register(collector)
    register(SyncTChannel("name"))
    register(channel, "main")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    unregister(channel, registry=collected)
