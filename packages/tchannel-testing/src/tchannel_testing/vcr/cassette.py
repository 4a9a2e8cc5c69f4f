"""A cassette: what was recorded, what of it was played, and what is new."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

from . import files, yaml_format, yaml_reader
from .exceptions import (
    CannotRecordInteractionsError,
    InvalidCassetteError,
    RequestNotFoundError,
    VCRError,
)
from .interaction import Failure, Interaction, Request, Response
from .matchers import Matcher, Matchers, Shelf
from .record_mode import RecordMode

__all__ = ["BeforeRecord", "Cassette"]

BeforeRecord: TypeAlias = Callable[[Interaction], Interaction | None]
"""Changes what is recorded and matched; None leaves the call out of the cassette altogether."""


class Cassette:
    """Interactions on tape. :func:`~tchannel_testing.vcr.use_cassette` opens one.

    :param path: the file.
    :param record_mode: a :class:`RecordMode` or its name; default ONCE.
    :param matchers: names and functions that say which recording answers a request; default
        :data:`~tchannel_testing.vcr.DEFAULT_MATCHERS`.
    :param before_record: called with a copy of each interaction before it is recorded, and of each
        request before it is looked up (``response`` and ``failure`` are None then). It may change
        the interaction, headers and bodies included, and returns it; None leaves the call out of
        the cassette: it goes to the network and is not recorded.
    :param allow_playback_repeats: replay a recording again once all that match have been played.
    :param thrift_as_bytes: write Thrift bodies and headers as bytes, not as fields and values: for a
        file that tchannel-python is to replay as well. What a file has as bytes stays so in any case.
    :raises VCRError: an unknown record mode or matcher.
    :raises InvalidCassetteError: the file cannot be understood.
    :raises OSError: the file cannot be read, or, under a mode that records, not be written.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        record_mode: str | RecordMode | None = None,
        matchers: Iterable[str | Matcher] | None = None,
        *,
        before_record: BeforeRecord | None = None,
        allow_playback_repeats: bool = False,
        thrift_as_bytes: bool = False,
    ) -> None:
        self.path: str = os.fspath(path)
        if not self.path:
            raise VCRError("the path of a cassette must not be empty")
        if before_record is not None and not callable(before_record):
            raise VCRError(f"before_record must be a function, not {before_record!r}")
        self._mode = RecordMode.from_name(RecordMode.ONCE if record_mode is None else record_mode)
        self._matchers = Matchers(matchers)
        self._before_record = before_record
        self._repeats = allow_playback_repeats
        self._thrift_as_bytes = thrift_as_bytes
        self._lock = threading.RLock()
        data = files.read(self.path)
        #: Whether the file was there before.
        self.existed: bool = data is not None
        self._saved: list[Interaction] = []
        if data is not None:
            self._saved = yaml_reader.load(data, self.path)
        self._unplayed, self._played = Shelf(self._matchers), Shelf(self._matchers)
        for interaction in self._saved:
            self._unplayed.put(interaction)
        if not self.write_protected:
            files.check_writable(self.path)
        # In the order in which the calls began, so that the file does not depend on whose answer
        # came first; a place stays None until its answer is there.
        self._recorded: list[Interaction | None] = []
        self._dirty = False
        #: What the file held when it was last read or written, and the places that were in it.
        self._on_disk = data
        self._written: set[int] = set()
        self._problem: Exception | None = None

    # What it is

    @property
    def record_mode(self) -> RecordMode:
        """The record mode; equal to its name."""
        return self._mode

    @property
    def write_protected(self) -> bool:
        """Whether calls without a recording are refused."""
        return not self._mode.can_record(self.existed)

    @property
    def interactions(self) -> list[Interaction]:
        """All that were loaded, then all that were recorded since, in their order."""
        with self._lock:
            return [*self._saved, *(new for new in self._recorded if new is not None)]

    @property
    def data(self) -> "deque[Interaction]":
        """:attr:`interactions` under the name and type that tchannel-python has."""
        return deque(self.interactions)

    @property
    def requests(self) -> list[Request]:
        """The requests of :attr:`interactions`."""
        return [interaction.request for interaction in self.interactions]

    @property
    def responses(self) -> list[Response | Failure]:
        """What came back for each of :attr:`requests`."""
        return [
            outcome
            for interaction in self.interactions
            if (outcome := interaction.response or interaction.failure) is not None
        ]

    @property
    def play_count(self) -> int:
        """How many answers have been replayed."""
        with self._lock:
            return sum(interaction.play_count for interaction in self._saved)

    @property
    def all_played(self) -> bool:
        """Whether everything that was in the file has been replayed at least once."""
        with self._lock:
            return all(interaction.play_count for interaction in self._saved)

    # Replaying

    def prepare(self, request: Request) -> Request | None:
        """The request as it is matched and recorded; None when it is to be left alone."""
        prepared = self._redact(Interaction(request))
        return None if prepared is None else prepared.request

    def play(self, request: Request) -> Interaction | None:
        """Take the first recording for ``request`` that is still to be played; None without one."""
        if not self._mode.replays:
            return None
        with self._lock:
            found = self._unplayed.take(request)
            if found is not None:
                self._played.put(found)
            elif self._repeats:
                found = self._played.find(request)
            if found is not None:
                found.play_count += 1
            return found

    def can_replay(self, request: Request) -> bool:
        """Whether :meth:`replay` has an answer."""
        with self._lock:
            found = self._unplayed.find(request)
            if found is None and self._repeats:
                found = self._played.find(request)
            return self._mode.replays and found is not None

    def replay(self, request: Request) -> Response:
        """Play the recorded answer.

        :raises RequestNotFoundError: there is none; shows the nearest recording.
        :raises TChannelError: the recorded failure.
        """
        interaction = self.play(request)
        if interaction is None:
            raise RequestNotFoundError(self.explain(request))
        if interaction.response is None:
            assert interaction.failure is not None, "an interaction has one of the two"
            raise interaction.failure.error(request)
        return interaction.response

    # Recording

    def record(self, request: Request, outcome: Response | Failure) -> None:
        """Add an interaction.

        :raises CannotRecordInteractionsError: the record mode forbids it.
        """
        if self.write_protected:
            raise CannotRecordInteractionsError(self.explain(request))
        self.fill(self.reserve(), request, outcome)

    def reserve(self) -> int:
        """Keep a place for a call that has begun; :meth:`fill` takes what is returned."""
        with self._lock:
            self._recorded.append(None)
            return len(self._recorded) - 1

    def fill(self, place: int, request: Request, outcome: Response | Failure) -> None:
        """Record the end of a call in its place."""
        interaction = (
            Interaction(request, response=outcome)
            if isinstance(outcome, Response)
            else Interaction(request, failure=outcome)
        )
        redacted = self._redact(interaction)
        if redacted is not None:
            with self._lock:
                self._recorded[place] = redacted
                self._dirty = True

    def note_problem(self, problem: Exception) -> None:
        """Something failed where nobody could be told; :meth:`save` will."""
        self._problem = self._problem or problem

    def _redact(self, interaction: Interaction) -> Interaction | None:
        if self._before_record is None:
            return interaction
        redacted = self._before_record(interaction.copy())
        if redacted is not None:
            self._check_redacted(redacted)
        return redacted

    def _check_redacted(self, redacted: Interaction) -> None:
        """What ``before_record`` made must be what can be written and found again.

        :raises VCRError: it is not; names what is wrong.
        """
        if not isinstance(redacted, Interaction):
            raise VCRError(
                f"before_record must return the interaction, or None to leave it out; not {redacted!r}"
            )
        for name, part in (("request", redacted.request), ("response", redacted.response)):
            for field in ("headers", "body"):
                value = b"" if part is None else getattr(part, field)
                if not isinstance(value, bytes):
                    raise VCRError(f"before_record set {name}.{field} to {value!r}: must be bytes")

    def save(self) -> None:
        """Write the file if anything was recorded since the last time.

        What was in it stays where it was, unless the record mode forgets it; new interactions
        follow in the order in which their calls began. So do they when another cassette of the same
        path, of this process or another, has written the file meanwhile.

        :raises OSError: it cannot be written; the file is as it was.
        :raises VCRError: ``before_record`` failed for an answer; all others are saved.
        """
        with self._lock:
            self._write()
            problem, self._problem = self._problem, None
        if problem is not None:
            raise VCRError(
                f"{self.path}: an answer could not be recorded: {problem!r}"
            ) from problem

    def _write(self) -> None:
        if not self._dirty:
            return
        with files.locked(self.path):
            kept = self._saved if self._mode.keeps_unplayed else []
            without: set[int] = set()
            theirs = self._written_by_others()
            if theirs is not None:
                kept, without = theirs, self._written
            new = {place: one for place, one in enumerate(self._recorded) if one is not None}
            added = [interaction for place, interaction in new.items() if place not in without]
            data = yaml_format.dump([*kept, *added], thrift_as_bytes=self._thrift_as_bytes)
            files.write(self.path, data)
            self._on_disk, self._written = data, set(new)
        self._dirty = False

    def _written_by_others(self) -> list[Interaction] | None:
        """What is in the file, if somebody else has written it since we looked; else None."""
        if not self._mode.keeps_unplayed:
            return None
        data = files.read(self.path)
        if data is None or data == self._on_disk:
            return None
        try:
            return yaml_reader.load(data, self.path)
        except InvalidCassetteError:
            return None  # no recordings that could be kept: ours replace it

    # Explaining

    def explain(self, request: Request) -> str:
        """Why ``request`` has no answer here: the nearest recording, and what differs."""
        call = f"{request.service}::{request.endpoint} ({request.scheme})"
        lines = [f"{self.path} (record mode {self._mode.value!r}) has no answer for {call}."]
        with self._lock:
            nearest, differing = self._nearest(request)
            if not self.existed:
                lines.append("The file does not exist.")
            elif nearest is None:
                lines.append("Nothing is recorded in it.")
            elif not differing:
                why = "Every recording of this request has been played already"
                lines.append(f"{why}; allow_playback_repeats=True plays it again.")
            else:
                number = self._saved.index(nearest) + 1
                played = " (already played)" if nearest.play_count else ""
                lines.append(f"The nearest is recording {number}{played}:")
                lines += [f"  {name} differs: {why}" for name, why in differing.items()]
                same = [name for name in self._matchers.names if name not in differing]
                if same:
                    lines.append(f"  the same: {', '.join(same)}")
        return "\n".join(lines)

    def _nearest(self, request: Request) -> tuple[Interaction | None, dict[str, str]]:
        nearest: Interaction | None = None
        least: dict[str, str] = {}
        for interaction in self._saved:
            differing = self._matchers.differences(request, interaction.request)
            # Of equally near ones, one that could still be played is the better hint.
            rank = (len(differing), interaction.play_count > 0)
            if nearest is None or rank < (len(least), nearest.play_count > 0):
                nearest, least = interaction, differing
        return nearest, least

    def __repr__(self) -> str:
        return (
            f"<Cassette {self.path} {self._mode.value}: {len(self._saved)} loaded,"
            f" {self.play_count} played, {len(self.interactions) - len(self._saved)} recorded>"
        )
