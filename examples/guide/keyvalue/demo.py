"""Runs the guide's servers and clients, checks every answer, and prints each step with its latency.

    python examples/guide/keyvalue/demo.py

A wrong answer ends with exit code 1. Without Apache's ``thrift`` (pip install thrift) only what needs
no generated code is run, and the output says so.
"""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tchannel.sync
from tchannel import TChannel, thrift, thrift_request_builder
from tchannel.errors import TChannelError, TimeoutError

HERE = Path(__file__).parent
PACKAGE = HERE / "keyvalue"
LARGE = "0123456789abcdef" * 65_536  # 1 MiB


class WrongAnswer(Exception):
    """An answer that is not what it should be."""


def expect(expected: object, actual: object) -> None:
    """Stop at a wrong answer."""
    if expected != actual:
        raise WrongAnswer(f"expected {expected!r:.100}, got {actual!r:.100}")


def report(text: str, begun: float, result: str) -> None:
    """Print what came of a step, and how long it took."""
    print(f"{(time.perf_counter() - begun) * 1000:9.2f} ms  {text}: {result}", flush=True)


@contextmanager
def server(script: str) -> Iterator[str]:
    """Run a server in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, str(PACKAGE / script)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("Listening on "):
            raise WrongAnswer(f"{script} did not start: {line!r}")
        print(f"{script}: {line.strip()} (process {process.pid})", flush=True)
        yield line.removeprefix("Listening on ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def guide_client(script: str, hostport: str) -> None:
    """Run a client of the guide, and check what it prints."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(PACKAGE / script), hostport],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode or "Hello, world!" not in done.stdout:
        raise WrongAnswer(f"{script} printed {done.stdout!r} {done.stderr[-500:]}")
    report(script, begun, done.stdout.strip())


async def step(text: str, call: Callable[[], Awaitable[str]]) -> None:
    """Make one call and print what came of it."""
    begun = time.perf_counter()
    report(text, begun, await call())


# Both are what the kind of module in use has: a generated class and a module, or loaded ones.
async def asynchronous(service: Any, not_found: type[Exception], hostport: str) -> None:
    """Make the calls of the guide and some more."""
    client = thrift_request_builder("keyvalue-server", service, hostport=hostport)
    async with TChannel("keyvalue-client") as channel:

        async def set_value(key: str, value: str) -> str:
            response = await channel.thrift(client.setValue(key, value))
            expect((None, 0), (response.body, response.status))
            return "ok"

        async def get_value(key: str, value: str) -> str:
            response = await channel.thrift(client.getValue(key), headers={"why": "demo"})
            expect(value, response.body)
            return f"{len(value)} characters" if len(value) > 100 else repr(value)

        async def get_missing() -> str:
            try:
                response = await channel.thrift(client.getValue("hi"))
            except not_found as error:
                expect("hi", error.key)  # type: ignore[attr-defined]  # declared by the IDL
                return f"{type(error).__name__}, key {error.key!r}"  # type: ignore[attr-defined]  # likewise
            raise WrongAnswer(f"a missing key gave {response!r}")

        await step("set", lambda: set_value("hello", "world"))
        await step("get", lambda: get_value("hello", "world"))
        await step("get a missing key", get_missing)
        await step("set 1 MiB", lambda: set_value("large", LARGE))
        await step("get 1 MiB", lambda: get_value("large", LARGE))


async def too_slow(service: Any, hostport: str) -> None:
    """Call a handler that takes a second, and wait for less."""
    client = thrift_request_builder("keyvalue-server", service, hostport=hostport)
    async with TChannel("keyvalue-client") as channel:

        async def call(**limits: float) -> str:
            try:
                await channel.thrift(client.setValue("a", "b"), **limits)
            except TimeoutError as error:
                return f"TimeoutError: {error.description}"
            raise WrongAnswer(f"a call of 1 s ended within {limits}")

        await step("a call into its timeout", lambda: call(timeout=0.2))
        await step("a call into its deadline", lambda: call(deadline=0.2))


def synchronous(service: Any, not_found: type[Exception], hostport: str) -> None:
    """Make the calls of a plain thread."""
    client = thrift_request_builder("keyvalue-server", service, hostport=hostport)
    with tchannel.sync.TChannel("keyvalue-client") as channel:
        begun = time.perf_counter()
        channel.thrift(client.setValue("thread", "safe")).result(30)
        expect("safe", channel.thrift(client.getValue("thread")).result(30).body)
        report("set and get from a plain thread", begun, "'safe'")
        begun = time.perf_counter()
        missing = channel.thrift(client.getValue("hi")).exception(30)
        if not isinstance(missing, not_found):
            raise WrongAnswer(f"a missing key gave {missing!r}")
        report("get a missing key from a plain thread", begun, type(missing).__name__)


def run() -> None:
    """Run everything, one after the other."""
    loaded = thrift.load(HERE / "thrift" / "service.thrift")
    modules = {"loading": (loaded.KeyValue, loaded.NotFoundError)}
    # Where the guide's scripts have it: "service" is what they import.
    sys.path.insert(0, str(PACKAGE))
    try:
        generated = importlib.import_module("service.KeyValue")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("thrift"):
            raise
        print("Apache's thrift is not installed: without the generated code (pip install thrift)")
    else:
        modules["generated"] = (generated, generated.NotFoundError)
    for kind, (service, not_found) in modules.items():
        prefix = "loading_" if kind == "loading" else ""
        with server(f"{prefix}server.py") as hostport:
            guide_client(f"{prefix}client.py", hostport)
            asyncio.run(asynchronous(service, not_found, hostport))
            synchronous(service, not_found, hostport)
    with server("slow_server.py") as hostport:
        asyncio.run(too_slow(loaded.KeyValue, hostport))


def main() -> int:
    """Return the exit code."""
    try:
        run()
    except (WrongAnswer, TChannelError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
