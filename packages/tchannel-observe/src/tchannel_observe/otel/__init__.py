"""OpenTelemetry for TChannel: spans and metrics of calls, and the context that goes with them.

::

    from tchannel_observe.otel import TChannelInstrumentor

    TChannelInstrumentor().instrument()

or, without a change of the application, ``opentelemetry-instrument python app.py``. Names are those of
the semantic conventions for RPC, version 1.45.0, which are stable there. Where spans and metrics go is
the business of the application and its OpenTelemetry SDK; without one nothing is recorded, and
contexts are still passed on.

Raises:
    ModuleNotFoundError: (on import) The extra ``otel`` is not installed.

"""

from ..extras import extra_hint

try:
    from .instrumentor import TChannelInstrumentor
except ImportError as _error:
    raise extra_hint(_error, "otel", "opentelemetry", "opentelemetry.instrumentation") from None

__all__ = ["TChannelInstrumentor"]
