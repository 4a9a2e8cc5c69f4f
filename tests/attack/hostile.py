"""Hostile peers, each by its name, in a process of its own.

    python hostile.py NAME PORT SECONDS

What a flood is answered with is read, so that its own buffers do not slow it down, unless not reading
is the attack.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Iterator

import frames

Bytes = Callable[[], bytes]


class Flood:
    """Writes as much as is taken, on some connections, and connects again when they are closed."""

    def __init__(self, port: int, make: Bytes, *, connections: int = 1, reads: bool = True) -> None:
        self.port = port
        self.make = make
        self.reads = reads
        self.left: dict[socket.socket, bytes] = {}
        self.sent = self.got = self.closed = 0
        for _ in range(connections):
            self.open()

    def open(self) -> None:
        try:
            end = frames.connect(self.port)
        except (OSError, EOFError):
            return
        end.setblocking(False)
        self.left[end] = b""

    def run(self, until: float) -> None:
        while time.monotonic() < until:
            ends = list(self.left)
            if not ends:
                time.sleep(0.05)
                self.open()
                continue
            readable, writable, _ = select.select(ends if self.reads else [], ends, [], 0.1)
            for end in readable:
                self.read(end)
            for end in writable:
                if end in self.left:
                    self.write(end)
        for end in self.left:
            end.close()

    def read(self, end: socket.socket) -> None:
        try:
            for _ in range(16):
                data = end.recv(1 << 16)
                if not data:
                    raise EOFError
                self.got += len(data)
        except BlockingIOError:
            pass
        except (OSError, EOFError):
            self.lost(end)

    def write(self, end: socket.socket) -> None:
        data = self.left[end] or self.make()
        try:
            taken = end.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self.lost(end)
            return
        self.sent += taken
        self.left[end] = data[taken:]

    def lost(self, end: socket.socket) -> None:
        del self.left[end]
        end.close()
        self.closed += 1
        self.open()


def ids() -> Iterator[int]:
    """Message ids."""
    return itertools.cycle(range(10, 0xFFFFFFF0))


def repeated(one: Callable[[int], bytes], count: int) -> Bytes:
    """Make some frames at a time, each with an id of its own."""
    numbers = ids()
    return lambda: b"".join(one(next(numbers)) for _ in range(count))


def never_ended(id: int) -> bytes:
    return frames.call(id, b"put", flags=frames.MORE) + frames.more(id, (b"x" * 100,))


def bad_second(id: int) -> bytes:
    return frames.call(id, arg3=b"x", flags=frames.MORE) + frames.more(
        id, (b"y",), checksum=struct.pack(">BI", frames.CRC32, 1), flags=0
    )


FLOODS: dict[str, Bytes] = {
    "pings": repeated(frames.ping, 1000),
    "call-and-cancel": repeated(lambda n: frames.call(n, b"slow") + frames.cancel(n), 300),
    "ttl-0": repeated(lambda n: frames.call(n, ttl_ms=0), 300),
    "checksum-type-255": repeated(lambda n: frames.call(n, checksum=b"\xff\0\0\0\0"), 300),
    "bad-second-fragment": repeated(bad_second, 200),
    "empty-chunks": repeated(
        lambda n: frames.call(
            n, checksum=b"\0", flags=frames.MORE, chunks=(b"echo", *[b""] * 32_000)
        ),
        2,
    ),
    "streams-never-ended": repeated(never_ended, 200),
    "farmhash": repeated(
        lambda n: frames.call(
            n, arg3=bytes(60_000), checksum=struct.pack(">BI", frames.FARMHASH, 7)
        ),
        4,
    ),
    "small-calls": repeated(frames.call, 500),
}


def flood(name: str) -> Callable[[int, float], str]:
    def run(port: int, until: float) -> str:
        attack = Flood(port, FLOODS[name])
        attack.run(until)
        return f"sent {attack.sent:,} B, got {attack.got:,} B, closed {attack.closed}"

    return run


def unread_answers(port: int, until: float) -> str:
    """Small calls for answers of 1 MB, none of which is read."""
    make = repeated(lambda n: frames.call(n, b"big", arg3=b"1000000"), 300)
    attack = Flood(port, make, connections=10, reads=False)
    attack.run(until)
    return f"sent {attack.sent:,} B"


def late_unread_answers(port: int, until: float) -> str:
    """The same from handlers that wait for a second: all of them are at work at the same time."""
    make = repeated(lambda n: frames.call(n, b"late", arg3=b"1000000"), 300)
    attack = Flood(port, make, connections=10, reads=False)
    attack.run(until)
    return f"sent {attack.sent:,} B"


def burst_and_close(port: int, until: float) -> str:
    """3,200 small calls for answers of 1 MB in one write, and the connection closed after 0.3 s."""
    sent = 0
    while time.monotonic() < until:
        try:
            end = frames.connect(port)
            end.sendall(b"".join(frames.call(10 + n, b"big", arg3=b"1000000") for n in range(3200)))
            sent += 1
            time.sleep(0.3)
            end.close()
        except OSError:
            time.sleep(0.05)
    return f"{sent} bursts"


def unfinished(port: int, until: float) -> str:
    """Requests of 60 KB that never end, on 60 connections, with the longest ttl there is."""
    make = repeated(
        lambda n: frames.call(n, arg3=b"x" * 60_000, flags=frames.MORE, ttl_ms=2**32 - 1), 4
    )
    attack = Flood(port, make, connections=60)
    attack.run(until)
    return f"sent {attack.sent:,} B, closed {attack.closed}"


def idle(port: int, until: float) -> str:
    """Connections that do nothing after the handshake, with names of 60 KB."""
    ends = []
    while time.monotonic() < until and len(ends) < 3000:
        try:
            ends.append(frames.connect(port, name=b"n" * 60_000))
        except (OSError, EOFError):
            time.sleep(0.05)
    time.sleep(max(0, until - time.monotonic()))
    return f"{len(ends)} connections"


def json_bomb(port: int, until: float) -> str:
    """15 MB of ``[],`` as a JSON body."""
    body = b"[" + b"[]," * 5_000_000 + b"[]]"
    answers: list[str] = []
    numbers = ids()
    end = frames.connect(port, timeout=60)
    while time.monotonic() < until:
        id = next(numbers)
        parts = [body[at : at + 60_000] for at in range(0, len(body), 60_000)]
        end.sendall(
            frames.call(
                id, b"jecho", headers=frames.JSON, flags=frames.MORE, checksum=b"\0",
                arg3=parts[0], ttl_ms=60_000,
            )
        )  # fmt: skip
        for part in parts[1:]:
            end.sendall(frames.more(id, (part,), flags=int(part is not parts[-1])))
        kind, _, payload = frames.receive(end)
        answers.append(f"{kind:#x} {payload[28:110]!r}")
    return f"{len(answers)} answers, the last {answers[-1] if answers else None}"


def client_hello() -> bytes:
    """The first bytes of a TLS client."""
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        frames.client_context().wrap_bio(came, goes).do_handshake()
    return goes.read()


def tls_handshakes(port: int, until: float) -> str:
    """Handshakes that are begun and dropped once they have cost the service its signature."""
    hello, begun, dropped = client_hello(), 0, 0
    ends: dict[socket.socket, None] = {}
    while time.monotonic() < until:
        while len(ends) < 200:
            end = socket.socket()
            try:
                end.connect(("127.0.0.1", port))
                end.sendall(hello)
            except OSError:
                end.close()
                break
            end.setblocking(False)
            ends[end] = None
            begun += 1
        answered, _, _ = select.select(list(ends), [], [], 0.1)
        for end in answered:
            del ends[end]
            end.close()
            dropped += 1
    for end in ends:
        end.close()
    return f"{begun} begun, {dropped} answered"


def tls_half(port: int, until: float) -> str:
    """2,000 handshakes that are begun and never ended."""
    hello, ends = client_hello(), []
    while time.monotonic() < until and len(ends) < 2000:
        end = socket.socket()
        ends.append(end)
        with contextlib.suppress(OSError):
            end.connect(("127.0.0.1", port))
            end.sendall(hello)
    time.sleep(max(0, until - time.monotonic()))
    return f"{len(ends)} connections"


ATTACKS: dict[str, Callable[[int, float], str]] = {
    **{name: flood(name) for name in FLOODS},
    "unread-answers": unread_answers,
    "late-unread-answers": late_unread_answers,
    "burst-and-close": burst_and_close,
    "unfinished": unfinished,
    "idle": idle,
    "json-bomb": json_bomb,
    "tls-handshakes": tls_handshakes,
    "tls-half": tls_half,
}


if __name__ == "__main__":
    print(ATTACKS[sys.argv[1]](int(sys.argv[2]), time.monotonic() + float(sys.argv[3])), flush=True)
