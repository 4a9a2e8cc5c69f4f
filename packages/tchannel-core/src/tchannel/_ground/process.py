"""What concerns the whole process: exceptions that end it, and what a fork leaves to its parent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

__all__ = ["FOR_THE_PROCESS", "after_fork_in_child", "drop_for_good"]

# They end the process; whatever else a handler raises costs its own call, not the connection.
FOR_THE_PROCESS: Final = (KeyboardInterrupt, SystemExit)


def after_fork_in_child(callback: Callable[[], object]) -> None:
    """Call back in each forked child; where nothing forks (Windows), never."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)


def drop_for_good(objects: object) -> None:
    """Keep ``objects`` unused: collecting a transport would close it, which is not ours to do.

    They belong to the parent of a forked child, or to a loop that is over.
    """
    _dropped.append(objects)


_dropped: list[object] = []
