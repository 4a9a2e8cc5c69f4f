"""Names about tracing that users of tchannel-python import.

Tracing itself needs no names: ``trace=`` of a channel or a call says what is traced, ids are made
and passed on for every call, and an interceptor sees them as ``call.tracing``. Spans are made by
tchannel-observe.
"""

from typing import TYPE_CHECKING, Final

from ._ground.replaced import refuse_names

__all__ = ["TRACING_KEY_PREFIX"]

TRACING_KEY_PREFIX: Final = "$tracing$"
"""What keys of application headers begin with that carry tracing and are no business of handlers."""

if not TYPE_CHECKING:
    _INTERCEPTOR = (
        "OpenTracing has ended, and OpenTelemetry makes spans of calls: pip install"
        " 'tchannel-observe[otel]', then tchannel_observe.otel.TChannelInstrumentor().instrument()"
    )
    __getattr__ = refuse_names(
        __name__,
        {
            "TracingContextProvider": (
                "contexts are kept by contextvars. Calls made by a handler belong to the trace of"
                " its request by themselves; tchannel.context.current_request() gives that request"
            ),
            "TChannelOpenTracingClientInterceptor": _INTERCEPTOR,
            "ClientTracer": _INTERCEPTOR,
            "ServerTracer": _INTERCEPTOR,
            "ZIPKIN_SPAN_FORMAT": _INTERCEPTOR,
        },
    )
