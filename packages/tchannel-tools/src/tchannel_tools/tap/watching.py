"""What passes a relay, put together to calls, and saved as a capture where that is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import BinaryIO

from .._captures.calls import Call, Event
from .._captures.packets import Segment
from .._captures.passing import Passing
from .._captures.saving import Saving
from .relay import Passed

__all__ = ["GuardedSaving", "Watching"]


class GuardedSaving:
    """Saves a capture for as long as its file can be written: what passes does not depend on that.

    Args:
        file: Where to; `close` closes it.
        failed: Told once of a file that cannot be written any more.

    """

    def __init__(self, file: BinaryIO, failed: Callable[[OSError], object]) -> None:
        self._file = file
        self._failed = failed
        self._saving: Saving | None = None
        self.failure: OSError | None = None
        """Why nothing more is saved."""

    def write(self, segment: Segment) -> None:
        """Save a segment, unless the file has failed."""
        if self.failure is not None:
            return
        try:
            if self._saving is None:
                self._saving = Saving(self._file)
            self._saving.write(segment)
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:
            if self.failure is None:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = error
        self._failed(error)


class Watching:
    """Gives the calls and events of what passes.

    Args:
        found: Is given each, as soon as it is whole.
        keep: Bytes of headers, and of bodies, that are kept of each call.
        saving: What saves the bytes; None saves nothing.

    """

    def __init__(
        self,
        found: Callable[[Call | Event], object],
        *,
        keep: int,
        saving: GuardedSaving | None = None,
    ) -> None:
        self._found = found
        self._saving = saving
        self._passing = Passing(keep=keep)
        self._ended: set[tuple[str, str]] = set()

    def look(self, passed: Passed) -> None:
        """Take what passed."""
        now = time.time()
        ends = passed.source, passed.target
        if passed.begins:
            segments = self._passing.begin(now, *ends)
        elif passed.ends:
            segments = [self._passing.end(now, *ends)]
        else:
            segments = [self._passing.data(now, *ends, passed.data)]
        for segment in segments:
            if self._saving is not None:
                self._saving.write(segment)
            self._give(self._passing.take(segment))
        if passed.ends:
            self._ended.add(ends)
            if ends[::-1] in self._ended:
                self._ended -= {ends, ends[::-1]}
                self._give(self._passing.forget(*ends))

    def _give(self, found: Iterable[Call | Event]) -> None:
        for one in found:
            self._found(one)
