"""The native ways of tchannel-speedups, which are used where that is installed."""

from __future__ import annotations

from typing import Final

__all__ = ["LAYOUT", "use"]

LAYOUT: Final = 1
"""Stands for all that the native ways read and write in this package: raised whenever that changes."""


def use() -> None:
    """Let tchannel-speedups replace what it has native ways of; it says why if it does not."""
    try:
        from tchannel_speedups import offer
    except ImportError:
        return
    offer("thrift", LAYOUT)
