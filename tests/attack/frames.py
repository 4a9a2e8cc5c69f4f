"""Frames as a hostile peer builds them: by the protocol's text, not by our own encoders."""

from __future__ import annotations

import socket
import ssl
import struct
import zlib

TRACING = bytes(25)
RAW = ((b"as", b"raw"), (b"cn", b"attacker"))
JSON = ((b"as", b"json"), (b"cn", b"attacker"))
NO_CHECKSUM, CRC32, FARMHASH = 0, 1, 2
MORE = 1


def frame(kind: int, id: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    return struct.pack(">HBBI8x", 16 + len(payload), kind, 0, id) + payload


def init(host_port: bytes = b"0.0.0.0:0", name: bytes = b"attacker[1]") -> bytes:
    """An init request."""
    headers = ((b"host_port", host_port), (b"process_name", name))
    body = b"".join(_long(key) + _long(value) for key, value in headers)
    return frame(1, 1, struct.pack(">HH", 2, len(headers)) + body)


def call(
    id: int,
    arg1: bytes = b"echo",
    arg2: bytes = b"",
    arg3: bytes = b"",
    *,
    service: bytes = b"victim",
    headers: tuple[tuple[bytes, bytes], ...] = RAW,
    ttl_ms: int = 10_000,
    flags: int = 0,
    checksum: bytes | None = None,
    chunks: tuple[bytes, ...] | None = None,
) -> bytes:
    """The first frame of a call; with CRC-32 unless ``checksum`` says what stands there."""
    if chunks is None:
        chunks = (arg1, arg2, arg3)
    if checksum is None:
        checksum = _crc32(chunks)
    head = struct.pack(">BI", flags, ttl_ms) + TRACING + bytes([len(service)]) + service
    block = bytes([len(headers)]) + b"".join(_short(key) + _short(value) for key, value in headers)
    return frame(3, id, head + block + checksum + b"".join(map(_long, chunks)))


def more(
    id: int, chunks: tuple[bytes, ...], *, flags: int = MORE, checksum: bytes = b"\0"
) -> bytes:
    """A further frame of a call."""
    return frame(0x13, id, bytes([flags]) + checksum + b"".join(map(_long, chunks)))


def ping(id: int) -> bytes:
    """A ping request."""
    return frame(0xD0, id)


def cancel(id: int) -> bytes:
    """A cancel."""
    return frame(0xC0, id, bytes(4) + TRACING + _long(b"x"))


def connect(
    port: int, *, shake: bool = True, tls: bool = False, timeout: float = 10.0, **fields: bytes
) -> socket.socket:
    """A connection to the victim, with its handshake done unless ``shake`` is false."""
    end = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        end = client_context().wrap_socket(end)
    if shake:
        end.sendall(init(**fields))
        kind, _, _ = receive(end)
        assert kind == 2, kind
    return end


def client_context() -> ssl.SSLContext:
    """TLS with whomever."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def receive(end: socket.socket) -> tuple[int, int, bytes]:
    """Type, id and payload of the next frame."""
    head = _exactly(end, 16)
    size, kind, _, id = struct.unpack(">HBBI", head[:8])
    return kind, id, _exactly(end, size - 16)


def _exactly(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = end.recv(size - len(data))
        if not part:
            raise EOFError(f"closed after {len(data)} of {size} bytes")
        data += part
    return data


def _long(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


def _short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def _crc32(chunks: tuple[bytes, ...]) -> bytes:
    value = 0
    for chunk in chunks:
        value = zlib.crc32(chunk, value)
    return struct.pack(">BI", CRC32, value)
