"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from .._captures.calls import Call, Calls, Event
from .._captures.filters import Choosing, add_filters, filter_of
from .._captures.packets import segments
from .._recordings.cassettes import CassetteFile, is_cassette
from .._recordings.load_file import LoadFile
from .._recordings.recording import Recording, recorded
from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import print_json_line, print_note
from .._terminal.parsing import Commands, Parser, add_command
from .._terminal.progress import Progress
from ..tap.serving import add_ends, ends_of, serve
from ..tap.watching import Watching

__all__ = ["add_parser"]

# Bytes of headers, and of bodies, that a recorded call may have.
_KEPT: Final = 4 * 1024 * 1024

_COMMAND: Final = "tchannel record"
_EXAMPLES: Final = """
tchannel record calls.jsonl --listen 127.0.0.1:4041 --to 127.0.0.1:4040
tchannel record tests/data/keyvalue.yaml --listen 127.0.0.1:4041 --to 127.0.0.1:4040 --service keyvalue
tchannel record calls.jsonl --capture calls.pcapng --outcome ok
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "record",
        help="record the calls that pass, to be replayed",
        description="Relay connections to a service, as tap does, and record the calls that pass with "
        "their answers; or those of a capture. A file called *.yaml becomes a cassette of "
        "tchannel_testing.vcr, any other a load file: a call on each line, for replay and load.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="where to; there must be none of that name")
    add_ends(add, required=False)
    add("--capture", metavar="FILE", help="record the calls of this capture (pcap, pcapng) instead")
    add("--overwrite", action="store_true", help="replace the file if there is one")
    add_filters(add)
    add("--json", action="store_true", help="print what was recorded as JSON, for machines")
    add("--debug", action="store_true", help="show tracebacks")
    parser.set_defaults(run=run)


class _File(Protocol):
    def write(self, one: Recording) -> str | None: ...

    def close(self) -> None: ...


def run(options: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code.

    Raises:
        ToolError: An address is none, a file cannot be read or written, or nothing can be listened on.

    """
    choosing = Choosing(filter_of(options))
    if options.capture is None and not (options.listen and options.to):
        raise ToolError("say what to record: --listen and --to for what passes, or --capture FILE")
    if options.capture is not None and (options.listen or options.to):
        raise ToolError("--capture reads a file: no --listen and no --to beside it")
    capture: str | None = options.capture
    ends = None if capture is not None else ends_of(options)
    if Path(options.file).exists() and not options.overwrite:
        raise ToolError(f"{options.file} is there already; --overwrite replaces it")
    file: _File = (CassetteFile if is_cassette(options.file) else LoadFile)(options.file)
    recorder = _Recorder(file, choosing, Progress(_COMMAND), options.file)
    problem: ToolError | None = None
    try:
        if capture is not None:
            _record_capture(capture, recorder)
        else:
            assert ends is not None, "there is one of the two"
            watching = Watching(recorder.take, keep=_KEPT)
            asyncio.run(serve(_COMMAND, watching.look, *ends))
    except ToolError as error:
        problem = error
    finally:
        recorder.close()
    if problem is not None and not recorder.written:
        raise problem
    recorder.tell(as_json=options.json)
    if problem is not None:
        raise problem  # what came before the damage is recorded
    return ExitCode.OK if recorder.failure is None else ExitCode.TOOL


def _record_capture(path: str, recorder: _Recorder) -> None:
    calls = Calls(keep=_KEPT)
    last = 0.0
    try:
        with Path(path).open("rb") as file:
            for segment in recorder.progress.watch(segments(file, path), "packets read"):
                last = segment.time
                recorder.start(segment.time)
                for one in calls.take(segment):
                    recorder.take(one)
            for one in calls.finish(last):
                recorder.take(one)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ToolError(f"cannot read {path}: {reason}") from None


class _Recorder:
    """Writes calls into a file.

    Attributes:
        written: How many were.
        progress: What shows how many there are.
        failure: Why nothing more is written; None as long as it is.

    """

    def __init__(self, file: _File, choosing: Choosing, progress: Progress, path: str) -> None:
        self._file = file
        self._choosing = choosing
        self._path = path
        self._start: float | None = None
        self.written = 0
        self._left_out: Counter[str] = Counter()
        self.progress = progress
        self.failure: OSError | None = None

    def start(self, time: float) -> None:
        """The recording begins, unless it has."""
        if self._start is None:
            self._start = time

    def take(self, one: Call | Event) -> None:
        """Write a call, if it is wanted and can be."""
        if isinstance(one, Event):
            return
        self.start(one.began)
        if not self._choosing.takes(one):
            return
        assert self._start is not None, "set above"
        found = recorded(one, self._start)
        if isinstance(found, str):
            self._left_out[found] += 1
            return
        reason = self._guarded(lambda: self._file.write(found))
        if reason is not None:
            self._left_out[reason] += 1
        elif self.failure is None:
            self.written += 1
            self.progress.show(f"{self.written} calls recorded")

    def close(self) -> None:
        """Write what is not written yet."""
        self.progress.clear()
        self._guarded(self._file.close)

    def _guarded(self, do: Callable[[], str | None]) -> str | None:
        if self.failure is not None:
            return "the file could not be written any more"
        try:
            return do()
        except OSError as error:
            self.failure = error
            print_note(_COMMAND, f"cannot write {self._path}: {error.strerror or error}")
            return "the file could not be written any more"

    def tell(self, *, as_json: bool) -> None:
        """Say what was recorded, and what was not."""
        if as_json:
            print_json_line(
                {"file": self._path, "calls": self.written, "left_out": dict(self._left_out)}
            )
        else:
            print_note(_COMMAND, f"{self.written} calls recorded in {self._path}")
        for reason, count in self._left_out.most_common():
            print_note(_COMMAND, f"{count} calls left out: {reason}")
        nothing = self._choosing.note()
        if nothing is not None:
            print_note(_COMMAND, nothing)
