"""How the context of a trace goes with a call, and comes with one.

It is written three times, for three kinds of readers:

- by the propagators that the application chose, by default the W3C's ``traceparent``, ``tracestate`` and
  ``baggage``: as application headers, whatever the arg scheme; as transport headers where the scheme has
  no headers by name (raw calls, whose headers are the application's own bytes);
- as Jaeger's clients do, ``$tracing$uber-trace-id`` and ``$tracing$uberctx-...``;
- in the 25 bytes of tracing that every call has, of whose trace id there are 64 bits.

And is read in this order: the propagators', with and without ``$tracing$``; Jaeger's; the 25 bytes, if
they say that the call is traced. Headers may have been handed on by a service that knows nothing of
them: if the 25 bytes name another span of the same trace, that one is the parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import tchannel_wire as wire
from tchannel.interceptors import Call
from tchannel.tracing import TRACING_KEY_PREFIX

from ..text import safe
from . import jaeger

__all__ = ["extract", "inject", "parent_in_bytes"]

_LOW: Final = 2**64 - 1
_PREFIX: Final = TRACING_KEY_PREFIX

# What a transport header may be (protocol, "Transport headers").
_LONGEST_KEY: Final = 16
_LONGEST_VALUE: Final = 255
_MOST_HEADERS: Final = 128


class _Headers:
    """The headers of a call that came, those of the application first."""

    def __init__(self, call: Call) -> None:
        self.named: Mapping[str, str] = call.application_headers or {}
        self.transport: Mapping[str, str] = call.headers

    def get(self, key: str) -> str | None:
        named = self.named
        value = named.get(key)
        if value is None:
            value = named.get(_PREFIX + key)
        if value is None:
            value = self.transport.get(key)
        # json may say anything, and propagators stumble over what cannot be encoded.
        if not isinstance(value, str) or (not value.isascii() and safe(value, len(value)) != value):
            return None
        return value

    def keys(self) -> list[str]:
        names = [key.removeprefix(_PREFIX) for key in self.named if isinstance(key, str)]
        return [*names, *self.transport]


class _Getter(Getter[_Headers]):
    def get(self, carrier: _Headers, key: str) -> list[str] | None:
        value = carrier.get(key)
        return None if value is None else [value]

    def keys(self, carrier: _Headers) -> list[str]:
        return carrier.keys()


_getter: Final = _Getter()


def _in_bytes(tracing: wire.Tracing, span_id: int) -> SpanContext | None:
    """Return a span that the 25 bytes name, if they say that it is traced."""
    if not tracing.traced:
        # Ids are made for every call; without the flag nobody records them.
        return None
    found = SpanContext(tracing.trace_id, span_id, True, TraceFlags(TraceFlags.SAMPLED))
    return found if found.is_valid else None


def parent_in_bytes(call: Call) -> SpanContext | None:
    """Return the span that an outgoing call is made by, where nothing but the 25 bytes know it."""
    return _in_bytes(call.tracing, call.tracing.parent_id)


def extract(call: Call, context: Context) -> Context:
    """Return ``context`` with the caller's span and baggage."""
    headers = _Headers(call)
    context = propagate.extract(headers, context, _getter)
    for key, value in jaeger.baggage_items(headers.keys(), headers.get):
        context = baggage.set_baggage(key, value, context)
    span = trace.get_current_span(context).get_span_context()
    tracing = call.tracing
    if not span.is_valid:
        text = headers.get(jaeger.TRACE_KEY) or ""
        span = jaeger.parse(text) or _in_bytes(tracing, tracing.span_id) or span
    elif (
        tracing.traced
        and tracing.trace_id == span.trace_id & _LOW
        and tracing.span_id not in {0, span.span_id}
    ):
        flags = TraceFlags(TraceFlags.SAMPLED)
        span = SpanContext(span.trace_id, tracing.span_id, True, flags, span.trace_state)
    if not span.is_valid:
        return context
    return trace.set_span_in_context(NonRecordingSpan(span), context)


def inject(call: Call, context: Context, parent: SpanContext) -> None:
    """Let ``call`` carry the span and the baggage of ``context``.

    Args:
        call: An outgoing call.
        context: What it carries.
        parent: The span that the one in ``context`` belongs to; an invalid one for the first.

    """
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context)
    span = trace.get_current_span(context).get_span_context()
    parent_id = parent.span_id if parent.trace_id == span.trace_id else 0
    if span.is_valid and span.span_id != parent_id:
        flags = wire.Tracing.TRACED if span.trace_flags.sampled else 0
        call.tracing = wire.Tracing(span.span_id, parent_id, span.trace_id & _LOW, flags)
    there = call.application_headers
    if there is not None and (call.arg2 or call.scheme != "raw"):
        named = dict(there)
        further = jaeger.written_baggage(baggage.get_all(context))
        if span.is_valid:
            further[jaeger.TRACE_KEY] = jaeger.written(span, parent_id)
            # What the application handed on of another call would say something else.
            for key in (*propagate.get_global_textmap().fields, jaeger.TRACE_KEY):
                named.pop(key, None)
                named.pop(_PREFIX + key, None)
        named.update(carrier)
        named.update({_PREFIX + key: value for key, value in further.items()})
        try:
            call.application_headers = named
        except (TypeError, ValueError):
            pass  # headers of a kind that the scheme would not make: they go as they are
        else:
            return
    for key, value in carrier.items():
        if (
            len(key) <= _LONGEST_KEY
            and len(value) <= _LONGEST_VALUE
            and value.isascii()
            and len(call.headers) < _MOST_HEADERS
        ):
            call.headers[key] = value
