"""Which parts of TChannel run natively in this process."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["native_parts", "tell_parts"]


def native_parts() -> dict[str, str]:
    """Return by part ``"native"``, or why it runs in Python; empty without tchannel-speedups."""
    try:
        from tchannel_speedups import active
    except ImportError:
        return {}
    return active()


def tell_parts(parts: Mapping[str, str]) -> str:
    """Return them as text."""
    if not parts:
        return "nothing, tchannel-speedups is not installed"
    return ", ".join(f"{part} {how}" for part, how in parts.items())
