"""``python -m tchannel_wire decode``: frames for people.

Prints one line per frame, the offset of its first byte in the stream and the message in it. Exits
with 1 at the first byte that is no frame, and says where; with 2 if there is nothing to read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import ProtocolError
from .frames import FrameBuffer
from .messages import decode

_HEX = frozenset(b"0123456789abcdefABCDEF \t\r\n")
_READ_SIZE = 1 << 16


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
        help="a file with a raw stream or with lines of hex digits, the hex digits themselves, "
        "or - for such a stream on standard input (default)",
    )
    source = parser.parse_args(arguments).source
    if source == "-":
        return _decode(_read(sys.stdin.buffer))
    path = Path(source)
    if _is_hex(source.encode("utf-8", "replace")) and not _exists(path):
        return _decode(_unhex([source.encode()]))
    try:
        with path.open("rb") as file:
            return _decode(_read(file))
    except OSError as error:
        sys.stderr.write(f"{source}: neither a readable file nor hex digits: {error}\n")
        return 2


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # hex digits that are too long for a file's name
        return False


def _is_hex(data: bytes) -> bool:
    return _HEX.issuperset(data)


def _read(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a raw stream, or those that its lines of hex digits stand for."""
    first = file.read(_READ_SIZE)
    # No raw stream looks like hex digits: the third byte of its first frame is no digit's code.
    if first and _is_hex(first):
        yield from _unhex(_lines(first, file))
        return
    while first:
        yield first
        first = file.read(_READ_SIZE)


def _lines(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    rest = first
    while first:
        *lines, rest = rest.split(b"\n")
        yield from lines
        first = file.read(_READ_SIZE)
        rest += first
    yield rest


def _unhex(lines: Iterator[bytes] | list[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        try:
            yield bytes.fromhex(line.decode("ascii"))
        except ValueError as error:
            raise ProtocolError(f"line {number}: {error}") from None


def _decode(stream: Iterator[bytes]) -> int:
    """Print the frames of a stream; the exit status."""
    buffer = FrameBuffer()
    offset = 0
    try:
        for data in stream:
            for frame in buffer.split(data):
                print(f"{offset:08x} {decode(frame)!r}")
                offset += len(frame)
            if buffer.error is not None:
                raise buffer.error
        if buffer.pending:
            raise ProtocolError(f"the stream ends {buffer.pending} bytes into a frame")
    except ProtocolError as error:
        sys.stdout.flush()
        sys.stderr.write(f"at byte {offset} ({offset:#x}): {error}\n")
        return 1
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
