"""Calls the key-value service, checks every answer, and prints a line with its latency for each step.

Run it with ``python examples/keyvalue/client.py HOST:PORT``. A wrong answer ends with exit code 1.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from tchannel import TChannel
from tchannel.errors import TChannelError, TimeoutError

BLOB = bytes(range(256)) * 4096  # 1 MiB


class WrongAnswer(Exception):
    """An answer that is not what was stored."""


def expect(expected: object, actual: object) -> None:
    """Stop at a wrong answer."""
    if expected != actual:
        raise WrongAnswer(f"expected {expected!r:.100}, got {actual!r:.100}")


async def step(text: str, call: Callable[[], Awaitable[str]]) -> None:
    """Make one call and print what came of it."""
    begun = time.perf_counter()
    result = await call()
    print(f"{(time.perf_counter() - begun) * 1000:9.2f} ms  {text}: {result}", flush=True)


async def run(hostport: str) -> None:
    """Make the calls, one after the other."""
    async with TChannel("keyvalue-client", known_peers=[hostport]) as channel:

        async def set_value(key: str, value: object) -> str:
            response = await channel.json("keyvalue", "set", {"key": key, "value": value})
            expect(0, response.status)
            return "ok"

        async def get_value(key: str, value: object) -> str:
            response = await channel.json("keyvalue", "get", {"key": key})
            expect({"value": value}, response.body)
            return repr(response.body["value"])

        async def list_keys() -> str:
            response = await channel.json("keyvalue", "list")
            expect({"keys": ["colour", "number", "shape"]}, response.body)
            return ", ".join(response.body["keys"])

        async def get_missing() -> str:
            response = await channel.json("keyvalue", "get", {"key": "nothing"})
            expect(1, response.status)
            expect("not-found", response.body["type"])
            return f"application error {response.body['type']}: {response.body['message']}"

        async def set_blob() -> str:
            response = await channel.raw("keyvalue", "set-raw", BLOB, headers="blob")
            expect(0, response.status)
            return f"{len(BLOB)} bytes sent"

        async def get_blob() -> str:
            response = await channel.raw("keyvalue", "get-raw", headers="blob")
            expect(BLOB, response.body)
            return f"{len(response.body)} bytes received"

        async def too_slow() -> str:
            try:
                await channel.json("keyvalue", "slow", {"seconds": 5}, timeout=0.2)
            except TimeoutError as error:
                return f"TimeoutError: {error}"
            raise WrongAnswer("a call of 5 s ended within a timeout of 0.2 s")

        values: dict[str, object] = {"colour": "blue", "number": 42, "shape": ["round", "flat"]}
        for key, value in values.items():
            await step(f"set {key}", lambda key=key, value=value: set_value(key, value))
        for key, value in values.items():
            await step(f"get {key}", lambda key=key, value=value: get_value(key, value))
        await step("list", list_keys)
        await step("get a missing key", get_missing)
        await step("set 1 MiB raw", set_blob)
        await step("get 1 MiB raw", get_blob)
        await step("a call that is too slow", too_slow)
    print("closed")


def main() -> int:
    """Return the exit code."""
    if len(sys.argv) != 2:
        print("usage: client.py HOST:PORT", file=sys.stderr)
        return 2
    try:
        asyncio.run(run(sys.argv[1]))
    except (WrongAnswer, TChannelError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
