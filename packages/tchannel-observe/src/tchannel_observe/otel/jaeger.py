"""The context as Jaeger's clients write it, for services whose tracers are of before OpenTelemetry.

``uber-trace-id`` is ``{trace}:{span}:{parent}:{flags}`` in hexadecimal, and ``uberctx-{key}`` an item of
baggage, its value encoded as in an URL. Go and Python services of that time have both among their
application headers, behind ``$tracing$``. OpenTelemetry's own package for it needs the same care for
what peers write, and is on its way out with the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, unquote

from opentelemetry.trace import SpanContext, TraceFlags

__all__ = ["BAGGAGE_PREFIX", "TRACE_KEY", "baggage_items", "parse", "written", "written_baggage"]

TRACE_KEY: Final = "uber-trace-id"
BAGGAGE_PREFIX: Final = "uberctx-"

_FORM: Final = re.compile(
    r"([0-9a-f]{1,32}):([0-9a-f]{1,16}):([0-9a-f]{1,16}):([0-9a-f]{1,2})", re.IGNORECASE
)
_SAMPLED: Final = 1

# As the W3C's baggage, of which peers may write as much.
_MOST_ITEMS: Final = 180
_LONGEST: Final = 4096
_MOST_CHARACTERS: Final = 8192


def parse(text: str) -> SpanContext | None:
    """Return the span that ``uber-trace-id`` names; None where it names none."""
    match = _FORM.fullmatch(unquote(text) if "%" in text else text)
    if match is None:
        return None
    trace, span, _, flags = (int(part, 16) for part in match.groups())
    found = SpanContext(trace, span, True, TraceFlags(flags & _SAMPLED))
    return found if found.is_valid else None


def written(span: SpanContext, parent_id: int) -> str:
    """Return ``uber-trace-id`` for a span; ``parent_id`` is 0 for the first of a trace."""
    flags = _SAMPLED if span.trace_flags.sampled else 0
    return f"{span.trace_id:x}:{span.span_id:x}:{parent_id:x}:{flags:x}"


def baggage_items(
    keys: Iterable[str], get: Callable[[str], str | None]
) -> Iterator[tuple[str, str]]:
    """Give the items of baggage among ``keys``, no more than the W3C's baggage may have."""
    left, items = _MOST_CHARACTERS, 0
    for key in keys:
        if not key.startswith(BAGGAGE_PREFIX) or key == BAGGAGE_PREFIX:
            continue
        value = get(key) or ""
        left -= len(key) + len(value)
        items += 1
        if items > _MOST_ITEMS or left < 0:
            return
        if len(key) + len(value) <= _LONGEST:
            yield key.removeprefix(BAGGAGE_PREFIX), unquote(value)


def written_baggage(baggage: Mapping[str, object]) -> dict[str, str]:
    """Return the headers that carry ``baggage``, keys that cannot be one left out."""
    return {f"{BAGGAGE_PREFIX}{key}": quote(str(value), safe="") for key, value in baggage.items()}
