"""What type checkers must infer from tchannel_wire. Checked by mypy and pyright, never run."""

from typing import assert_type

from tchannel_wire import (
    ChecksumType,
    Connection,
    Event,
    Frame,
    FrameBuffer,
    checksum,
    decode_headers,
    encode_headers,
)


def bytes_in_events_out(data: bytes, now: float) -> None:
    connection = Connection(opener=True, host_port="0.0.0.0:0", process_name="p", now=now)
    assert_type(connection.receive(data, now), list[Event])
    assert_type(connection.data_to_send(), bytes)
    assert_type(connection.next_deadline(), float | None)
    assert_type(connection.expire(now), list[Event])
    assert_type(connection.ping(now), int)
    assert_type(connection.close(now), list[Event])


def frames_come_from_an_iterator(data: bytes) -> None:
    buffer = FrameBuffer()
    buffer.feed(data)
    for frame in buffer:
        assert_type(frame, Frame)
        assert_type(frame.encode(), bytes)


def headers_and_checksums() -> None:
    assert_type(decode_headers(encode_headers({"as": "raw"})), dict[str, str])
    assert_type(checksum(ChecksumType.CRC32C, b""), int)
