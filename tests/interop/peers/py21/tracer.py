"""A tracer as services of tchannel-python 2.1.0 had: OpenTracing's, with Zipkin's ids and Jaeger's headers."""

import random

import opentracing
from opentracing.scope_managers.tornado import TornadoScopeManager

from tchannel.tracing import ZIPKIN_SPAN_FORMAT

KEY = "uber-trace-id"


class Context(opentracing.SpanContext):
    def __init__(self, trace_id, span_id, parent_id, flags, baggage=None):
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_id = parent_id
        self.flags = flags
        self._baggage = baggage or {}

    @property
    def baggage(self):
        return self._baggage


class Span(opentracing.Span):
    """A span that is reported to nobody."""

    def set_baggage_item(self, key, value):
        self.context.baggage[key] = value
        return self


class Tracer(opentracing.Tracer):
    """Continues the traces that calls bring, in the 25 bytes of tracing or in headers."""

    def start_span(self, operation_name=None, child_of=None, **_ignored):
        parent = getattr(child_of, "context", child_of)
        span_id = random.getrandbits(63) + 1
        if not isinstance(parent, Context):  # nothing, or that of OpenTracing's own tracer
            context = Context(span_id, span_id, 0, 0)
        else:
            context = Context(
                parent.trace_id, span_id, parent.span_id, parent.flags, dict(parent.baggage)
            )
        return Span(self, context)

    def inject(self, span_context, format, carrier):
        context = getattr(span_context, "context", span_context)
        if format == ZIPKIN_SPAN_FORMAT:
            carrier["trace_id"] = context.trace_id & (2**64 - 1)
            carrier["span_id"] = context.span_id
            carrier["parent_id"] = context.parent_id
            carrier["traceflags"] = context.flags
        elif context.flags:  # the other tests look at the headers of calls that nobody traces
            ids = context.trace_id, context.span_id, context.parent_id, context.flags
            carrier[KEY] = "{:x}:{:x}:{:x}:{:x}".format(*ids)
            carrier.update({"uberctx-" + key: value for key, value in context.baggage.items()})

    def extract(self, format, carrier):
        if format == ZIPKIN_SPAN_FORMAT:
            return Context(carrier.trace_id, carrier.span_id, carrier.parent_id, carrier.traceflags)
        if KEY not in carrier:
            return None
        baggage = {
            key[len("uberctx-") :]: value
            for key, value in carrier.items()
            if key.startswith("uberctx-")
        }
        return Context(*(int(part, 16) for part in carrier[KEY].split(":")), baggage=baggage)


def install():
    """Make a tracer, and let handlers find the span that they work for."""
    tracer = Tracer(TornadoScopeManager())
    opentracing.set_global_tracer(tracer)
    return tracer
