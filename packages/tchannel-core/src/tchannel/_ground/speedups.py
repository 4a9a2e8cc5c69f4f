"""The native ways of tchannel-speedups, which are used where that is installed."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["LAYOUT", "native", "use"]

LAYOUT: Final = 1
"""Stands for all that the native ways read and write in this package: raised whenever that changes."""


def use() -> None:
    """Let tchannel-speedups replace what it has native ways of; it says why if it does not."""
    try:
        from tchannel_speedups import offer
    except ImportError:
        return
    offer("core", LAYOUT)


def native() -> dict[str, str]:
    """Return by part whether it runs natively, or why not; empty without tchannel-speedups."""
    # `use` has imported it if it is there: to look for it anew in each snapshot would be dear.
    module = sys.modules.get("tchannel_speedups")
    if module is None:
        return {}
    parts: dict[str, str] = module.active()
    return parts
