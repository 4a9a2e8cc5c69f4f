"""tchannel-python 2.1.0, the archived implementation, on its own Tornado 4.5 (Python 3.11)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import medium
import worker

SERVICE = "benchmark"
IDL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "idl")


def version() -> str:
    from importlib.metadata import version as installed

    found = installed("tchannel")
    if found != "2.1.0":
        raise worker.MissingError(f"tchannel 2.1.0 is wanted, this environment has {found}")
    return f"tchannel {found}, tornado {installed('tornado')}"


def server(task: dict[str, Any]) -> None:
    found = version()
    from tornado import gen, ioloop

    from tchannel import Response, TChannel, thrift

    channel = TChannel(SERVICE, hostport="127.0.0.1:0")
    keyvalue = thrift.load(os.path.join(IDL, "keyvalue.thrift"), service=SERVICE)
    plain = task["workload"]["handler"] == "def"
    handler: Callable[..., Any] = (lambda function: function) if plain else gen.coroutine

    @channel.raw.register("echo")
    @handler
    def echo(request: Any) -> Any:
        return Response(request.body, request.headers)

    @channel.json.register("getValue")
    @handler
    def get_value(request: Any) -> Any:
        return Response({"value": "world" if request.body["key"] == "hello" else None})

    @channel.thrift.register(keyvalue.KeyValue)
    @handler
    def getValue(request: Any) -> Any:  # noqa: N802 - the IDL's name
        return Response("world" if request.body.key == "hello" else "")

    @channel.thrift.register(keyvalue.KeyValue)
    @handler
    def echoMedium(request: Any) -> Any:  # noqa: N802 - the IDL's name
        return Response(request.body.value)

    channel.listen()
    worker.serve_control()
    facts = worker.info("def" if plain else "gen.coroutine", "tornado", found)
    worker.say("ready", port=int(channel.hostport.rpartition(":")[2]), info=facts)
    ioloop.IOLoop.current().start()


def make_call(task: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[Any], Any], Any]:
    """A callable that starts one call, how to read its answer, and the right answer."""
    from tchannel import TChannel, thrift

    workload = task["workload"]
    channel = TChannel("client", known_peers=[f"127.0.0.1:{task['port']}"])
    if workload["kind"] == "json-kv":
        body = {"key": "hello"}
        return (
            lambda: channel.json(SERVICE, "getValue", body, timeout=60),
            lambda response: response.body,
            {"value": "world"},
        )
    if workload["kind"].startswith("thrift"):
        keyvalue = thrift.load(os.path.join(IDL, "keyvalue.thrift"), service=SERVICE)
        if workload["kind"] == "thrift-medium":
            fields = medium.medium_fields()
            fields["position"] = keyvalue.Point(**fields["position"])
            value = keyvalue.Medium(**fields)
            return (
                lambda: channel.thrift(keyvalue.KeyValue.echoMedium(value), timeout=60),
                lambda response: response.body,
                value,
            )
        return (
            lambda: channel.thrift(keyvalue.KeyValue.getValue("hello"), timeout=60),
            lambda response: response.body,
            "world",
        )
    payload = worker.body_of(workload["size"])
    return (
        lambda: channel.raw(SERVICE, "echo", payload, timeout=60),
        lambda response: response.body,
        payload,
    )


def client(task: dict[str, Any]) -> None:
    found = version()
    from tornado import gen, ioloop

    call, read, expected = make_call(task)
    in_flight = task["workload"]["in_flight"]
    loop = ioloop.IOLoop.current()

    def section(seconds: float, taken: list[int]) -> int:
        clock = worker.time.perf_counter_ns
        end = clock() + int(seconds * 1e9)

        @gen.coroutine
        def lane() -> Any:
            now = clock()
            while now < end:
                started = now
                yield call()
                now = clock()
                taken.append(now - started)

        @gen.coroutine
        def lanes() -> Any:
            yield [lane() for _ in range(in_flight)]

        loop.run_sync(lanes)
        return len(taken)

    @gen.coroutine
    def first() -> Any:
        response = yield call()
        worker.require_equal(expected, read(response))

    loop.run_sync(first)
    worker.say("ready", info=worker.info("-", "tornado", found))
    for line in sys.stdin:
        command = json.loads(line)
        if command["cmd"] == "usage":
            worker.say("usage", **worker.usage())
        elif command["cmd"] == "connect":
            worker.say("connect")
        elif command["cmd"] == "run":
            seconds = command["seconds"]
            worker.say("run", **worker.measured(lambda seconds=seconds: section(seconds, [])))
        elif command["cmd"] == "latency":
            taken: list[int] = []
            section(command["seconds"], taken)
            worker.say("latency", **worker.percentiles(worker.array.array("q", taken)))


if __name__ == "__main__":
    worker.run_worker(server, client)
