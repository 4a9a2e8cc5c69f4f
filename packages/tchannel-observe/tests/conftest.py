"""Channels on the loopback interface, and what the SDK of OpenTelemetry makes of their calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tchannel import TChannel

SERVICE = "keeper"


@pytest.fixture
async def server() -> AsyncIterator[TChannel]:
    """A listening channel for the service "keeper"."""
    async with TChannel(SERVICE, hostport="127.0.0.1:0") as channel:
        channel.listen()
        yield channel


@pytest.fixture
async def client(server: TChannel) -> AsyncIterator[TChannel]:
    """A channel whose one peer is `server`."""
    async with TChannel("caller", known_peers=[server.hostport]) as channel:
        yield channel


class Telemetry:
    """The spans and metrics that were made, by the SDK in memory."""

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader], shutdown_on_exit=False)

    @property
    def providers(self) -> dict[str, Any]:
        """What an instrumentor is given."""
        return {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    @property
    def tracer(self) -> Any:
        """The application's own."""
        return self.tracer_provider.get_tracer("application")

    def spans(self, kind: str | None = None) -> list[Any]:
        """The spans that have ended, in the order in which they did."""
        found = self.exporter.get_finished_spans()
        return [span for span in found if kind is None or span.kind.name == kind]

    def span(self, kind: str) -> Any:
        """The one span of that kind."""
        (found,) = self.spans(kind)
        return found

    def points(self, metric: str) -> list[Any]:
        """The rows of a metric."""
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for found in scope.metrics
            if found.name == metric
            for point in found.data.data_points
        ]

    def close(self) -> None:
        """Stop the SDK."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """What the SDK in memory was given."""
    pytest.importorskip("opentelemetry.sdk", reason="the extra `otel`")
    made = Telemetry()
    yield made
    made.close()


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The same, with every channel of the process instrumented."""
    from tchannel_observe.otel import TChannelInstrumentor

    instrumentor = TChannelInstrumentor()
    instrumentor.instrument(**telemetry.providers)
    yield telemetry
    instrumentor.uninstrument()


@pytest.fixture
def sent(client: TChannel) -> list[Any]:
    """The calls of the client as they leave, innermost."""
    seen: list[Any] = []

    def see(call: Any, proceed: Callable[..., Any]) -> Any:
        seen.append(call.replace())
        return proceed(call)

    client.interceptors.outgoing.append(see)
    return seen
