"""Messages of several frames: cut into fragments, and joined again."""

from __future__ import annotations

import pytest

from tchannel_wire.checksums import ChecksumType
from tchannel_wire.fragments import FragmentReader, FragmentWriter
from tchannel_wire.frames import FrameType
from tchannel_wire.headers import encode_headers
from tchannel_wire.messages import decode
from tchannel_wire.options import Options

SIZES = [64 * 1024, 1024 * 1024]
# flags apart: what a call response has between its flags and its checksum type
FIELDS = b"\0" + bytes(25) + encode_headers({"as": "raw"})


def write(body: bytes) -> list[bytes]:
    """All frames of a response with this arg3."""
    writer = FragmentWriter(1, FrameType.CALL_RESPONSE, FIELDS, ChecksumType.CRC32C, b"", b"")
    writer.write(body)
    writer.finish()
    frames = []
    while (frame := writer.next_frame()) is not None:
        frames.append(frame)
    return frames


def read(frames: list[bytes]) -> bytes:
    """Decode the frames and join their arg3."""
    reader = FragmentReader(ChecksumType.CRC32C, Options())
    for frame in frames:
        message = decode(frame)
        reader.feed(message.checksum_type, message.checksum, message.chunks, last=not message.more)
    return reader.take(2)


@pytest.mark.parametrize("size", SIZES)
def test_a_large_message_is_cut_into_frames(benchmark, size):
    body = bytes(size)

    assert read(benchmark(write, body)) == body


@pytest.mark.parametrize("size", SIZES)
def test_the_frames_of_a_large_message_are_joined(benchmark, size):
    body = bytes(size)

    assert benchmark(read, write(body)) == body
