"""Peers from a file that is watched."""

from __future__ import annotations

import os

from tchannel.clock import Clock
from tchannel.lowlevel import PeerGroup

from ..host_list import HostListFile
from .polling import PollingSource

__all__ = ["FileSource"]


class FileSource(PollingSource):
    """The peers in a JSON file, ``["host:port", ...]``, which is read again when it changes.

    A file that is missing, empty or wrong leaves the peers as they are, and is looked at again.
    Replace it by renaming another file onto it: one that is being written may be read half.

    Args:
        path: The file.
        period: Seconds between two looks at its date, size and inode; default 1.

    Raises:
        TypeError: ``path`` is no path, or ``period`` no number.
        ValueError: ``period`` is not above 0.

    """

    def __init__(self, path: str | os.PathLike[str], period: float = 1.0) -> None:
        super().__init__(period)
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path must be a path, not {path!r}")
        self._file = HostListFile(path)

    def start(self, group: PeerGroup, clock: Clock) -> None:
        """Watch the file from now on; called by the channel."""
        self._file = HostListFile(self._file.path)  # read in any case: the group may be a new one
        super().start(group, clock)

    def __str__(self) -> str:
        return f"peers of {self._file}"

    async def ask(self, group: PeerGroup) -> list[str] | None:
        """Return what the file holds, if it has changed."""
        # In the loop: a look at a local file takes some microseconds, a thread would take more.
        return self._file.read_if_changed()
