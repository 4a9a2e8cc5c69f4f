"""Span, parent and trace ids of calls (protocol, "Frame": `tracing`).

An outgoing call made while serving an incoming one belongs to the same trace; every other call
begins a trace of its own. Retries of a call keep its ids.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, TypeAlias

import tchannel_wire as wire

if TYPE_CHECKING:
    from .._serving.incoming import IncomingRequest
    from ..request import Request

__all__ = ["TRACED", "Trace", "check_trace", "make_tracing", "pack_tracing", "random_bits"]

Trace: TypeAlias = "bool | float | Callable[[Request], bool | float]"
"""Whether to trace: no, yes, the share of calls to trace, or a function of the request."""

TRACED = 0x01
"""The trace flag: this request is traced."""

pack_tracing = Struct(">QQQB").pack
_unpack_tracing = Struct(">QQQB").unpack
random_bits = random.getrandbits


def check_trace(trace: Trace) -> Trace:
    """Return ``trace`` if it is one.

    Raises:
        TypeError: Neither a bool, a number nor a callable.
        ValueError: A rate that is not between 0 and 1.

    """
    if isinstance(trace, int | float):
        if not 0 <= trace <= 1:
            raise ValueError(f"trace as a rate must be from 0 to 1, not {trace!r}")
    elif not callable(trace):
        raise TypeError(f"trace must be a bool, a rate or a callable of the request, not {trace!r}")
    return trace


def make_tracing(
    trace: Trace,
    parent: IncomingRequest | wire.Tracing | None,
    request: Callable[[], Request],
) -> bytes:
    """Return the 25 bytes of tracing for an outgoing call.

    Args:
        trace: what the call or the channel says.
        parent: the incoming call being served or the span given by the caller; if it is traced,
            so is this call.
        request: makes the request, for a ``trace`` that asks to see it.

    """
    span = random_bits(64)
    if parent is None:
        traced = trace if trace is False or trace is True else _decide(trace, request)
        return pack_tracing(span, 0, span, TRACED if traced else 0)
    if isinstance(parent, wire.Tracing):
        parent_span, trace_id, flags = parent.span_id, parent.trace_id, parent.flags
    elif not hasattr(parent, "tracing_bytes"):
        raise TypeError(f"tracing_span must be a tchannel_wire.Tracing, not {parent!r}")
    else:
        parent_span, _, trace_id, flags = _unpack_tracing(parent.tracing_bytes)
    if not flags & TRACED and trace is not False and _decide(trace, request):
        flags |= TRACED
    return pack_tracing(span, parent_span, trace_id or span, flags)


def _decide(trace: Trace, request: Callable[[], Request]) -> bool:
    if callable(trace):
        trace = trace(request())
    if isinstance(trace, bool):
        return trace
    return random.random() < trace
