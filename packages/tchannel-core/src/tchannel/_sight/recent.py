"""The calls that failed last, and those that were slow: what an operator asks for first."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from ..errors import TChannelError
from ..stats import EndedCall

__all__ = ["Recent", "text_of"]

_MAX_TEXT: Final = 300
"""Characters that are kept of a name or of an error: a hundred calls of a hostile peer stay small."""


class Recent:
    """A bounded number of calls of each kind.

    Args:
        most: How many of each are kept.
        slow: Seconds from which on an answered call is slow.

    """

    __slots__ = ("_failed", "_slow", "slow")

    def __init__(self, most: int, slow: float) -> None:
        self.slow: float = slow
        self._failed: deque[EndedCall] = deque(maxlen=most)
        self._slow: deque[EndedCall] = deque(maxlen=most)

    def ended(
        self,
        direction: str,
        service: str,
        endpoint: str,
        caller: str,
        peer: str,
        seconds: float,
        outcome: str,
        error: str | None = None,
        *,
        attempts: int = 1,
        tracing: bytes = b"",
    ) -> None:
        """Keep a call; it is a slow one if there is no ``error``.

        One that was cancelled is not kept: nobody wants to know any more how it would have ended.
        """
        if outcome == "cancelled":
            return
        kept = self._slow if error is None else self._failed
        kept.append(
            EndedCall(
                direction,
                service,
                endpoint[:_MAX_TEXT],
                caller,
                peer,
                time.time(),
                seconds,
                outcome,
                error[:_MAX_TEXT] if error else "",
                attempts,
                tracing[16:24].hex(),
            )
        )

    def failed(self) -> list[EndedCall]:
        """Return the calls that failed, the latest first."""
        return list(reversed(self._failed))

    def slow_ones(self) -> list[EndedCall]:
        """Return the calls that were slow, the latest first."""
        return list(reversed(self._slow))

    def clear(self) -> None:
        """Begin anew, as the child of a fork does."""
        self._failed.clear()
        self._slow.clear()


def text_of(error: BaseException | None) -> str:
    """Return what an error says."""
    if isinstance(error, TChannelError):
        return error.description or type(error).__name__
    return "" if error is None else f"{type(error).__name__}: {error}"
