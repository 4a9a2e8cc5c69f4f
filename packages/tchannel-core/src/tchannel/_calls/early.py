"""Calls made while no event loop runs: they begin with theirs, or it is told that it never ran."""

from __future__ import annotations

import asyncio
import warnings
import weakref
from contextvars import Context
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .intercepted import InterceptedCall
    from .outgoing import OutgoingCall

    _Call: TypeAlias = OutgoingCall | InterceptedCall

__all__ = ["begin_with_loop"]


def begin_with_loop(
    loop: asyncio.AbstractEventLoop, call: _Call, context: Context | None = None
) -> None:
    """Let ``call`` begin as soon as ``loop`` runs; a RuntimeWarning tells if it never does.

    Told when the call is collected, or when the process ends.
    """
    lost = weakref.finalize(call, _lost, call.in_words(), weakref.ref(call))
    loop.call_soon(_begin, call, lost, context=context)


def _begin(call: _Call, lost: weakref.finalize[..., _Call]) -> None:
    lost.detach()
    call.begin()


def _lost(words: str, reference: weakref.ref[_Call]) -> None:
    call = reference()
    if call is None or not call.done():
        warnings.warn(
            f"the call {words} was made while no event loop ran, and its own has not run since: it was"
            " never sent; make calls where the loop runs, in a coroutine",
            RuntimeWarning,
            stacklevel=2,
        )
