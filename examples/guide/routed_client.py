"""Finds the guide's service by its name through routers, and checks every answer.

    python examples/guide/routed_client.py HYPERBAHN_HOSTS.json async|sync

It only calls, and so it does not advertise: routers among its known peers are enough. Each step prints a
line with its latency; a wrong answer ends with exit code 1.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tchannel.sync
from tchannel import TChannel, thrift
from tchannel.errors import TChannelError, TimeoutError
from tchannel_hyperbahn import FileSource

IDL = Path(__file__).parent / "keyvalue" / "thrift" / "service.thrift"
LARGE = "0123456789abcdef" * 65_536  # 1 MiB

loaded = thrift.load(IDL, service="keyvalue-server")
slow = thrift.load(IDL, service="slow-keyvalue-server")


class WrongAnswer(Exception):
    """An answer that is not what was stored."""


def expect(expected: object, actual: object) -> str:
    """Stop at a wrong answer; say in short what the right one was."""
    if expected != actual:
        raise WrongAnswer(f"expected {expected!r:.100}, got {actual!r:.100}")
    text = repr(actual)
    return text if len(text) <= 100 else f"{len(text) - 2} characters"


def not_found(outcome: Any) -> str:
    """Check the exception that the IDL declares."""
    if not isinstance(outcome, loaded.NotFoundError):
        raise WrongAnswer(f"a missing key gave {outcome!r}")
    return f"NotFoundError, key {expect('hi', outcome.key)}"


def timed_out(outcome: Any) -> str:
    """Check the end of a call that had too little time."""
    if not isinstance(outcome, TimeoutError):
        raise WrongAnswer(f"a call of 1 s with 0.2 s to run gave {outcome!r}")
    return f"TimeoutError: {outcome.description}"


def body(value: object) -> Callable[[Any], str]:
    """Return a check for a response with that body."""

    def check(outcome: Any) -> str:
        if isinstance(outcome, Exception):
            raise outcome
        return expect(value, outcome.body)

    return check


Step = tuple[str, Any, dict[str, float], Callable[[Any], str]]


def steps() -> Iterator[Step]:
    """The calls of the guide and some more: text, request, limits, check."""
    keyvalue = loaded.KeyValue
    yield "set", keyvalue.setValue("hello", "world"), {}, body(None)
    yield "get", keyvalue.getValue("hello"), {}, body("world")
    yield "get a missing key", keyvalue.getValue("hi"), {}, not_found
    yield "set 1 MiB", keyvalue.setValue("large", LARGE), {}, body(None)
    yield "get 1 MiB", keyvalue.getValue("large"), {}, body(LARGE)
    yield "a call into its deadline", slow.KeyValue.setValue("a", "b"), {"deadline": 0.2}, timed_out


def report(kind: str, text: str, begun: float, result: str) -> None:
    """Print what came of a step, and how long it took."""
    milliseconds = (time.perf_counter() - begun) * 1000
    print(f"{milliseconds:9.2f} ms  {kind:5} {text}: {result}", flush=True)


async def asynchronous(hosts: str) -> None:
    """Make the calls on asyncio."""
    async with TChannel("keyvalue-client", known_peers=FileSource(hosts)) as channel:
        for text, request, limits, check in steps():
            begun = time.perf_counter()
            try:
                outcome: object = await channel.thrift(request, **limits)
            except Exception as error:
                outcome = error
            report("async", text, begun, check(outcome))


def synchronous(hosts: str) -> None:
    """Make the same calls from a plain thread."""
    with tchannel.sync.TChannel("keyvalue-client", known_peers=FileSource(hosts)) as channel:
        for text, request, limits, check in steps():
            begun = time.perf_counter()
            future = channel.thrift(request, **limits)
            outcome = future.exception(30) or future.result()
            report("sync", text, begun, check(outcome))


def main() -> int:
    """Return the exit code."""
    if len(sys.argv) != 3 or sys.argv[2] not in {"async", "sync"}:
        print("usage: routed_client.py HYPERBAHN_HOSTS.json async|sync", file=sys.stderr)
        return 2
    try:
        if sys.argv[2] == "async":
            asyncio.run(asynchronous(sys.argv[1]))
        else:
            synchronous(sys.argv[1])
    except (WrongAnswer, TChannelError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
