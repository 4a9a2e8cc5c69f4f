"""Which package runs natively, and why another does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final, NamedTuple

__all__ = ["LAYOUTS", "NATIVE", "Replacement", "active", "look_up", "offer", "undo"]

LAYOUTS: Final[dict[str, int]] = {"wire": 1, "thrift": 1}
"""The layout of each package's objects that the native ways were written for."""

PARTS: Final = ("wire", "thrift", "core")

NATIVE: Final = "native"
_NOT_IMPORTED: Final = "not imported"
_NO_WAYS: Final = "has no native ways in this version"


class Replacement(NamedTuple):
    """A native way that stands in the place of a Python function.

    Attributes:
        owner: The class or module that it stands in.
        name: What it is called there.
        twin: The Python function that stood there, and knows every rule.
        native: What stands there instead.

    """

    owner: object
    name: str
    twin: object
    native: object


_state: dict[str, str] = {}
_replaced: dict[str, list[Replacement]] = {}
_told: set[tuple[str, ...]] = set()


def active() -> dict[str, str]:
    """Say for each package whether it runs natively.

    Returns:
        By ``"wire"``, ``"thrift"`` and ``"core"``: ``"native"``, ``"not imported"``, or why the
        Python way serves.

    """
    return {part: _state.get(part, _NOT_IMPORTED) for part in PARTS}


def offer(part: str, layout: int) -> None:
    """Put the native ways of a package in place of its own, if they fit; else one log line says why.

    Called by each package at the end of its own import. It never raises, and does nothing when it is
    called again.

    Args:
        part: ``"wire"``, ``"thrift"`` or ``"core"``.
        layout: The layout of its objects that the package states.

    """
    if part in _replaced:
        return
    if os.environ.get("TCHANNEL_PURE", "") not in {"", "0"}:
        _state[part] = "TCHANNEL_PURE is set"
        return
    if part not in LAYOUTS:
        _state[part] = _NO_WAYS
        return
    reason = _unfit()
    if reason:
        _refuse(part, reason, "tchannel-speedups is not used: %s", reason)
        return
    if layout != LAYOUTS[part]:
        reason = f"it has layout {layout}, tchannel-speedups is for layout {LAYOUTS[part]}"
        _refuse(part, reason, "tchannel-speedups is not used for %s: %s", part, reason)
        return
    try:
        ways: Callable[[], list[Replacement]] = import_module(f".{part}", __package__).ways
        replaced = ways()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        _refuse(part, reason, "tchannel-speedups is not used for %s: %s", part, reason)
        return
    for one in replaced:
        setattr(one.owner, one.name, one.native)
    _replaced[part] = replaced
    _state[part] = NATIVE


def undo(part: str) -> list[Replacement]:
    """Put the Python functions of a package back, for tests that compare; `offer` replaces them anew.

    Returns:
        What was replaced; empty if nothing was.

    """
    replaced = _replaced.pop(part, [])
    for one in replaced:
        setattr(one.owner, one.name, one.twin)
    if replaced:
        _state[part] = "undone"
    return replaced


def look_up(package: str, name: str) -> object:
    """Find what the native ways reach into a package for.

    Args:
        package: As it is imported.
        name: Below it, with the modules: ``"inbound.InboundSide.respond"``.

    Raises:
        AttributeError: There is no such thing: it is another version than the native ways are for.

    """
    module, *rest = name.split(".")
    found: object = import_module(f"{package}.{module}")
    while rest:
        one = rest.pop(0)
        if isinstance(found, type) and one not in vars(found):
            # Inherited is not meant: it would be put into the wrong class.
            raise AttributeError(f"{package}.{name}: {found.__name__} has no {one} of its own")
        try:  # a package, with a module in it that nobody has imported yet
            found = getattr(found, one)
        except AttributeError:
            if not rest:
                raise
            found = import_module(f"{found.__name__}.{one}")  # type: ignore[attr-defined]  # a package
    return found


def _unfit() -> str:
    """Why nothing can run natively in this process; empty if it can."""
    if sys.implementation.name != "cpython":
        return f"it is made for CPython, not for {sys.implementation.name}"
    if "free-threading" in sys.version:
        return "this Python is free-threaded"
    try:
        import_module("._native", __package__)
    except ImportError as error:
        return str(error)
    return ""


def _refuse(part: str, reason: str, *line: str) -> None:
    """Keep why a package runs in Python, and say it once."""
    _state[part] = reason
    if line not in _told:
        _told.add(line)
        import logging  # here: whoever is not refused does not wait for it

        logging.getLogger("tchannel_speedups").warning(*line)
