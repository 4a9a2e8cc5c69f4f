"""The floor: bytes framed and echoed on an asyncio.Protocol, and nothing else.

The frame is TChannel's (``size:2 type:1 reserved:1 id:4 reserved:8``); a message of more than one
frame marks its last one in the type byte. No future, no timer, no header, no checksum: what any
Python program on this loop must pay, so that the rest of a contender's cost can be named.
"""

from __future__ import annotations

import array
import asyncio
import itertools
import json
import struct
import sys
import time
from typing import Any, cast

import worker

HEADER = struct.Struct(">HBBI8x")
MAX_PAYLOAD = 0xFFFF - HEADER.size
MORE, LAST = 0, 1


def message_frames(lane: int, body: bytes) -> bytes:
    """The frames of one message, with the lane that waits for it as the id."""
    frames = []
    for start in range(0, len(body), MAX_PAYLOAD):
        part = body[start : start + MAX_PAYLOAD]
        kind = LAST if start + MAX_PAYLOAD >= len(body) else MORE
        frames.append(HEADER.pack(HEADER.size + len(part), kind, 0, lane) + part)
    return b"".join(frames)


class Echo(asyncio.Protocol):
    """Sends every whole frame back; the frames of one read leave in one write."""

    def __init__(self) -> None:
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        position, end = 0, len(data)
        unpack = HEADER.unpack_from
        frames = []
        while end - position >= 16:
            size = unpack(data, position)[0]
            if position + size > end:
                break
            frames.append(data[position : position + size])
            position += size
        self.rest = data[position:]
        self.transport.write(b"".join(frames))


class Load:
    """The messages in flight over all connections: each answer lets its lane send again."""

    def __init__(self, messages: dict[int, bytes]) -> None:
        self.messages = messages
        self.connections: list[Connection] = []
        self.answered = 0
        self.waiting = 0
        self.running = False
        self.started: dict[int, int] = {}
        self.taken: array.array[int] | None = None
        self.idle = asyncio.Event()

    async def section(self, seconds: float, *, timed: bool) -> None:
        """Keep every lane busy for `seconds`, then wait for the last answers."""
        self.rotation = itertools.cycle(self.connections)
        self.running = True
        self.answered = 0
        self.waiting = len(self.messages)
        self.taken = array.array("q") if timed else None
        self.idle.clear()
        self.started = dict.fromkeys(self.messages, time.perf_counter_ns())
        self.send(list(self.messages.values()))
        await asyncio.sleep(seconds)
        self.running = False
        await self.idle.wait()

    def send(self, messages: list[bytes]) -> None:
        """One write for one connection; over many, each message takes the next connection."""
        if len(self.connections) == 1:
            self.connections[0].transport.write(b"".join(messages))
        else:
            for message in messages:
                next(self.rotation).transport.write(message)

    def answer(self, lane: int) -> bool:
        """Count an answer; true when the lane is to send again."""
        self.answered += 1
        if self.taken is not None:
            now = time.perf_counter_ns()
            self.taken.append(now - self.started[lane])
            self.started[lane] = now
        if not self.running:
            self.waiting -= 1
            if not self.waiting:
                self.idle.set()
        return self.running


class Connection(asyncio.Protocol):
    """The client's end of one connection."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        position, end = 0, len(data)
        unpack = HEADER.unpack_from
        load = self.load
        again = []
        while end - position >= 16:
            size, kind, _, lane = unpack(data, position)
            if position + size > end:
                break
            position += size
            if kind == LAST and load.answer(lane):
                again.append(load.messages[lane])
        self.rest = data[position:]
        if again:
            load.send(again)


def server(task: dict[str, Any]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(Echo, task["bind"], 0, backlog=8192)
        worker.serve_control()
        port = listener.sockets[0].getsockname()[1]
        facts = worker.info("callback", task["loop"], "bare protocol")
        worker.say("ready", port=port, info=facts)
        await listener.serve_forever()

    worker.run_loop(main(), task["loop"])


def client(task: dict[str, Any]) -> None:
    worker.run_loop(drive(task), task["loop"])


async def drive(task: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    workload = task["workload"]
    body = worker.body_of(workload["size"])
    load = Load({lane: message_frames(lane, body) for lane in range(workload["in_flight"])})

    async def connect() -> None:
        for address in worker.loopback_addresses(workload["connections"], task["port"]):
            host = address.rpartition(":")[0]
            _, connection = await loop.create_connection(
                lambda: Connection(load), host, task["port"]
            )
            load.connections.append(connection)

    worker.say("ready", info=worker.info("-", task["loop"], "bare protocol"))
    for line in sys.stdin:
        command = json.loads(line)
        if command["cmd"] == "usage":
            worker.say("usage", **worker.usage())
        elif command["cmd"] == "connect":
            await connect()
            worker.say("connect")
        elif command["cmd"] == "run":
            before, started = worker.cpu(), time.perf_counter()
            await load.section(command["seconds"], timed=False)
            wall = time.perf_counter() - started
            worker.say("run", calls=load.answered, wall=wall, cpu=worker.cpu() - before)
        elif command["cmd"] == "latency":
            await load.section(command["seconds"], timed=True)
            worker.say("latency", **worker.percentiles(load.taken or array.array("q")))


if __name__ == "__main__":
    worker.run_worker(server, client)
