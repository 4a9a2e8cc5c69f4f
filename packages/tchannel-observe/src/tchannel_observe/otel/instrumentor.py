"""Switching the telemetry of calls on and off, as OpenTelemetry's tools do."""

from __future__ import annotations

from collections.abc import Collection
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # closed to mypy
    BaseInstrumentor,
)
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from tchannel import TChannel, interceptors
from tchannel.event import EventType, register_everywhere, unregister_everywhere
from tchannel.sync import TChannel as SyncTChannel

from .calls import CallTelemetry
from .outages import calm_exporters, let_exporters_talk

__all__ = ["TChannelInstrumentor"]


class TChannelInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # the same
    """Makes spans and metrics of the calls of a process, or of single channels.

    ``TChannelInstrumentor().instrument()`` is for all channels, those to come as well; that is what
    ``opentelemetry-instrument`` calls. There is one for the process, however often it is made.
    """

    _everywhere: CallTelemetry | None = None
    # Channels with telemetry of their own.
    _channels: WeakKeyDictionary[TChannel, CallTelemetry] = WeakKeyDictionary()
    _apart: WeakSet[TChannel] = WeakSet()

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the distributions that this is for."""
        return ("tchannel-core >= 0.1, < 1",)

    def instrument(self, **kwargs: object) -> None:
        """Make spans and metrics of all calls from now on; again without effect, with a warning.

        Args:
            tracer_provider: Who takes the spans; by default the one of the process.
            meter_provider: Who takes the durations; by default the one of the process.
            calm: Let the exporters of the SDK write one log line for each outage of their
                collector; default True.
            **kwargs: These, and those of `BaseInstrumentor.instrument`.

        Raises:
            TypeError: Another argument.

        """
        super().instrument(**kwargs)

    def _instrument(  # pyright: ignore[reportIncompatibleMethodOverride]  # `instrument` checks
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        calm: bool = True,
    ) -> None:
        self._everywhere = CallTelemetry(tracer_provider, meter_provider, self._apart)
        interceptors.add_outgoing(self._everywhere.outgoing)
        interceptors.add_incoming(self._everywhere.incoming)
        register_everywhere(self._everywhere.served, EventType.on_call_served)
        if calm:
            calm_exporters()

    def _uninstrument(self, **_others: object) -> None:
        telemetry, self._everywhere = self._everywhere, None
        if telemetry is not None:
            interceptors.remove_outgoing(telemetry.outgoing)
            interceptors.remove_incoming(telemetry.incoming)
            unregister_everywhere(telemetry.served, EventType.on_call_served)
            telemetry.forget()
        let_exporters_talk()

    @classmethod
    def instrument_channel(
        cls,
        channel: TChannel | SyncTChannel,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        """Make spans and metrics of the calls of one channel, apart from all others.

        Args:
            channel: The channel; one of `tchannel.sync` as well.
            tracer_provider: Who takes the spans; by default the one of the process.
            meter_provider: Who takes the durations; by default the one of the process.

        Raises:
            ValueError: The channel has that already: each call would be counted twice.

        """
        one = channel.channel if isinstance(channel, SyncTChannel) else channel
        if one in cls._channels:
            raise ValueError(f"the calls of channel {one.name!r} are instrumented already")
        telemetry = cls._channels[one] = CallTelemetry(tracer_provider, meter_provider)
        cls._apart.add(one)
        # Outermost: what other interceptors answer by themselves is a call as well.
        one.interceptors.outgoing.insert(0, telemetry.outgoing)
        one.interceptors.incoming.insert(0, telemetry.incoming)
        one.hooks.register(telemetry.served, EventType.on_call_served)

    @classmethod
    def uninstrument_channel(cls, channel: TChannel | SyncTChannel) -> None:
        """Undo `instrument_channel`; what was not done is ignored."""
        one = channel.channel if isinstance(channel, SyncTChannel) else channel
        telemetry = cls._channels.pop(one, None)
        cls._apart.discard(one)
        if telemetry is not None:
            one.interceptors.outgoing.remove(telemetry.outgoing)
            one.interceptors.incoming.remove(telemetry.incoming)
            one.hooks.unregister(telemetry.served, EventType.on_call_served)
            telemetry.forget()
