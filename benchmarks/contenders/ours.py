"""The channel of this project on asyncio or uvloop, by its public API as a user writes it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version as installed
from typing import Any

import medium
import worker

try:
    from tchannel import Response, TChannel
except ImportError as error:
    worker.report_missing(error)

SERVICE = "benchmark"
IDL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "idl")
STREAM_CHUNK = 64 * 1024
# Milliseconds of the handler's waiting: of calls made together, and before each piece of a stream.
WORK = (0, 1, 2, 5)
PIECES = 4


def facts(task: dict[str, Any], handler: str) -> dict[str, str]:
    return worker.info(handler, task["loop"], f"tchannel-core {installed('tchannel-core')}")


def load_idl() -> Any:
    from tchannel import thrift

    return thrift.load(os.path.join(IDL, "keyvalue.thrift"), service=SERVICE)


def register_raw(channel: TChannel, handler: str) -> None:
    """The echo endpoint, as a coroutine function or as a plain one."""
    if handler == "async def":

        @channel.raw.register
        async def echo(request: Any) -> Response:
            return Response(request.body, request.headers)

    else:

        @channel.raw.register("echo")
        def echo_plain(request: Any) -> Response:
            return Response(request.body, request.headers)


def register_json(channel: TChannel) -> None:
    @channel.json.register
    async def getValue(request: Any) -> Response:  # noqa: N802 - every contender's name for it
        return Response({"value": "world" if request.body["key"] == "hello" else None})


def register_thrift(channel: TChannel) -> None:
    keyvalue = load_idl()

    @channel.thrift.register(keyvalue.KeyValue)
    async def getValue(request: Any) -> Response:  # noqa: N802 - the IDL's name
        return Response("world" if request.body.key == "hello" else "")

    @channel.thrift.register(keyvalue.KeyValue)
    async def echoMedium(request: Any) -> Response:  # noqa: N802 - the IDL's name
        return Response(request.body.value)


def register_stream(channel: TChannel) -> None:
    @channel.raw.register("echo", stream=True)
    async def echo(request: Any) -> AsyncIterator[bytes]:
        async for chunk in request.body:
            yield chunk


def register_apart(channel: TChannel) -> None:
    """Answers, and pieces of one, that come after each other and not together."""

    @channel.raw.register
    async def work(request: Any) -> Response:
        await asyncio.sleep(int(request.body) / 1e3)
        return Response(request.body)

    @channel.raw.register(stream=True)
    async def pieces(request: Any) -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            yield b"piece"
            await asyncio.sleep(1e-3)


def add_hooks(channel: TChannel, event: str, interceptors: list[Any]) -> None:
    """A plain-callable hook and interceptor, which do nothing: what do they cost?"""
    from tchannel.event import EventType

    def hook(*args: Any, **kwargs: Any) -> None:
        pass

    def interceptor(call: Any, proceed: Callable[[Any], Any]) -> Any:
        return proceed(call)

    channel.hooks.register(hook, EventType[event])
    interceptors.append(interceptor)


def server(task: dict[str, Any]) -> None:
    workload = task["workload"]
    kind, handler = workload["kind"], workload["handler"]

    async def main() -> None:
        channel = TChannel(SERVICE, hostport=f"{task['bind']}:0")
        if kind == "json-kv":
            register_json(channel)
        elif kind.startswith("thrift"):
            register_thrift(channel)
        elif kind == "stream":
            register_stream(channel)
        elif kind.startswith("apart"):
            register_apart(channel)
        else:
            register_raw(channel, handler)
        if "server" in workload["hooks"]:
            add_hooks(channel, "before_receive_request", channel.interceptors.incoming)
        channel.listen()
        if task.get("router"):
            await channel.advertise(routers=[task["router"]])
        worker.serve_control()
        port = int(channel.hostport.rpartition(":")[2])
        worker.say("ready", port=port, info=facts(task, handler))
        await asyncio.Event().wait()

    worker.run_loop(main(), task["loop"])


def make_call(
    task: dict[str, Any], channel: TChannel
) -> tuple[Callable[[], Awaitable[object]], Callable[[Any], object], object]:
    """A callable that starts one call, how to read its answer, and the right answer."""
    workload = task["workload"]
    kind = workload["kind"]
    if kind == "json-kv":
        body = {"key": "hello"}
        return (
            lambda: channel.json(SERVICE, "getValue", body, timeout=60),
            lambda response: response.body,
            {"value": "world"},
        )
    if kind == "thrift-medium":
        keyvalue = load_idl()
        fields = medium.medium_fields()
        fields["position"] = keyvalue.Point(**fields["position"])
        value = keyvalue.Medium(**fields)
        return (
            lambda: channel.thrift(keyvalue.KeyValue.echoMedium(value), timeout=60),
            lambda response: response.body,
            value,
        )
    if kind == "thrift-kv":
        keyvalue = load_idl()
        return (
            lambda: channel.thrift(keyvalue.KeyValue.getValue("hello"), timeout=60),
            lambda response: response.body,
            "world",
        )
    if kind == "stream":
        return (lambda: stream(channel, workload["size"]), int, workload["size"])
    if kind == "apart-pieces":
        return (lambda: read_pieces(channel), lambda read: read, b"piece" * PIECES)
    if kind.startswith("apart"):
        return (lambda: work_apart(channel), lambda answers: answers, [b"%d" % ms for ms in WORK])
    payload = worker.body_of(workload["size"])
    if kind == "connections":
        addresses = worker.loopback_addresses(workload["connections"], task["port"])
        rotation = itertools.cycle(addresses).__next__
        return (
            lambda: channel.raw(SERVICE, "echo", payload, hostport=rotation(), timeout=60),
            lambda response: response.body,
            payload,
        )
    return (
        lambda: channel.raw(SERVICE, "echo", payload, timeout=60),
        lambda response: response.body,
        payload,
    )


async def stream(channel: TChannel, size: int) -> int:
    """Send `size` bytes in chunks and read the echo as it comes; returns the bytes read."""
    chunk = worker.body_of(STREAM_CHUNK)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // STREAM_CHUNK):
            yield chunk

    response = await channel.raw(SERVICE, "echo", body(), stream=True, timeout=120)
    read = 0
    async for part in response.body:
        read += len(part)
    return read


async def work_apart(channel: TChannel) -> list[bytes]:
    """Make calls of different work at once, and wait for all of their answers."""
    calls = [channel.raw(SERVICE, "work", b"%d" % ms, timeout=60) for ms in WORK]
    return [(await call).body for call in calls]


async def read_pieces(channel: TChannel) -> bytes:
    """Read a streamed answer whose pieces come one by one."""
    response = await channel.raw(SERVICE, "pieces", stream=True, timeout=60)
    return b"".join([part async for part in response.body])


def known_peers(task: dict[str, Any]) -> list[str] | None:
    workload = task["workload"]
    if workload["kind"] == "connections":
        return None
    if task.get("router"):
        return [task["router"]]
    if workload["kind"] == "peers":
        return worker.loopback_addresses(workload["peers"], task["port"])
    return [f"127.0.0.1:{task['port']}"]


def client(task: dict[str, Any]) -> None:
    workload = task["workload"]
    if workload["kind"] == "sync":
        sync_client(task)
        return

    async def main() -> None:
        channel = TChannel("client", known_peers=known_peers(task))
        if "client" in workload["hooks"]:
            add_hooks(channel, "before_send_request", channel.interceptors.outgoing)
        call, read, expected = make_call(task, channel)

        async def connect() -> None:
            for _ in range(workload["connections"]):
                worker.require_equal(expected, read(await call()))

        worker.say("ready", info=facts(task, "-"))
        await worker.AsyncClient([call] * workload["in_flight"], connect).obey()

    worker.run_loop(main(), task["loop"])


def sync_client(task: dict[str, Any]) -> None:
    from tchannel.sync import TChannel as SyncTChannel

    workload = task["workload"]
    payload = worker.body_of(workload["size"])
    channel = SyncTChannel("client", known_peers=[f"127.0.0.1:{task['port']}"])

    def call() -> Any:
        return channel.raw(SERVICE, "echo", payload, timeout=60).result()

    worker.require_equal(payload, call().body)
    worker.say("ready", info=facts({"loop": "threads"}, "-"))
    worker.obey_with_threads([call] * workload["in_flight"])


if __name__ == "__main__":
    worker.run_worker(server, client)
