"""``python -m tchannel_wire decode``: frames for people.

Prints one line per frame, the offset of its first byte in the stream and the message in it. Exits
with 1 at the first byte that is no frame, and says where; with 2 if there is nothing to read.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from .errors import ProtocolError
from .frames import HEADER_SIZE, FrameBuffer
from .hex_text import HexText
from .messages import decode

_READ_SIZE = 1 << 16
_NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


class _Stop(Exception):
    """The stream cannot be read on: what to tell, and the exit status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class _File(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m tchannel_wire", description="Look at TChannel frames."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "decode",
        help="print one line per frame",
        description="Print one line per frame: its offset, and the message in it. "
        "Exits with 1 at the first byte that is no frame.",
    )
    command.add_argument(
        "source",
        nargs="?",
        default="-",
        metavar="FILE|HEX|-",
        help="a file with a raw stream, with lines of hex digits or with a hex dump; the hex digits "
        "themselves; or - for such a stream on standard input (default)",
    )
    source = parser.parse_args(arguments).source
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A peer's text must not end the command where the terminal cannot show it.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _print(_frame_lines(_open(source)))
    except _Stop as stop:
        sys.stderr.write(f"{stop}\n")
        return stop.status
    except KeyboardInterrupt:
        return 130
    return 0


def _print(lines: Iterable[str]) -> None:
    """Print `lines` as they come, so that a live stream can be watched through a pipe."""
    if sys.stdout is None:
        raise _Stop("standard output is closed", 2)
    try:
        for line in lines:
            sys.stdout.write(line)
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as head, has seen enough. What is left must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise _Stop(f"the output cannot be written: {error.strerror}", 2) from None


def _frame_lines(stream: Iterator[bytes]) -> Iterator[str]:
    """The lines to be printed, some at a time."""
    buffer = FrameBuffer()
    offset = 0
    for data in stream:
        lines = []
        try:
            for frame in buffer.split(data):
                lines.append(f"{offset:08x} {decode(frame)!r}\n")
                offset += len(frame)
            if buffer.error is not None:
                raise buffer.error
        except ProtocolError as error:
            yield "".join(lines)
            raise _Stop(f"at byte {offset} ({offset:#x}): {error}", 1) from None
        if lines:
            yield "".join(lines)
    if buffer.pending:
        text = f"the stream ends {buffer.pending} bytes into a frame"
        raise _Stop(f"at byte {offset} ({offset:#x}): {text}", 1)


def _open(source: str) -> Iterator[bytes]:
    """The stream that the argument names, or is.

    Raises:
        _Stop: It is neither a file nor hex digits.

    """
    if source == "-":
        if sys.stdin is None:
            raise _Stop("standard input is closed", 2)
        return _read("standard input", sys.stdin.buffer)  # type: ignore[arg-type]  # has read1
    shown = repr(source) if len(source) <= 60 else f"{source[:60]!r}..."
    try:
        return _read_closing(shown, Path(source).open("rb"))
    except OSError as error:
        reason = error.strerror
        if error.errno not in _NO_SUCH_FILE:
            raise _Stop(f"{shown}: {reason}", 2) from None
    text = HexText()
    try:
        return iter([text.read_line(line) for line in source.splitlines()])
    except ValueError as error:
        raise _Stop(f"{shown}: {reason}, and no hex: {error}", 2) from None


def _read_closing(name: str, file: io.BufferedReader) -> Iterator[bytes]:
    with file:
        yield from _read(name, file)


def _read(name: str, file: _File) -> Iterator[bytes]:
    """The bytes of a raw stream, or those that its lines of text stand for."""
    try:
        # Not read(), which would wait for more of a live stream than a frame.
        first = b""
        while len(first) < HEADER_SIZE and (more := file.read1(_READ_SIZE)):
            first += more
        blocks = _blocks(first, file)
        yield from _unhex(blocks) if _is_text(first[:HEADER_SIZE]) else blocks
    except OSError as error:
        raise _Stop(f"{name}: {error.strerror}", 2) from None


def _blocks(first: bytes, file: _File) -> Iterator[bytes]:
    while first:
        yield first
        first = file.read1(_READ_SIZE)


def _is_text(data: bytes) -> bool:
    """Whether a stream that begins with `data` is text.

    No raw stream is: the third byte of its first frame, the type, is a control character, or is
    followed by a byte that makes it no UTF-8.
    """
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _unhex(blocks: Iterator[bytes]) -> Iterator[bytes]:
    text = HexText()
    for number, line in enumerate(_lines(blocks), 1):
        try:
            yield text.read_line(line.decode("utf-8", "replace"))
        except ValueError as error:
            raise _Stop(f"line {number}: {error}", 1) from None


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest: list[bytes] = []
    for block in blocks:
        *lines, end = block.split(b"\n")
        if lines:
            yield b"".join([*rest, lines[0]])
            yield from lines[1:]
            rest.clear()
        rest.append(end)
    yield b"".join(rest)


if __name__ == "__main__":
    sys.exit(main())
