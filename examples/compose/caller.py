"""Calls the service by its name, 50 times a second, until told to stop: python caller.py ROUTER."""

from __future__ import annotations

import asyncio
import signal
import sys

from tchannel import TChannel
from tchannel.errors import TChannelError


async def main(router: str) -> None:
    """Call until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    called = failed = 0
    async with TChannel("caller", known_peers=[router]) as channel:
        print("calling", flush=True)
        while not stop.is_set():
            called += 1
            try:
                await channel.json("greeter", "greet", {"name": "Ada"}, timeout=1)
            except TChannelError as error:
                failed += 1
                print(f"caller: {error}", file=sys.stderr, flush=True)
            await asyncio.sleep(0.02)
    print(f"{called} calls, {failed} failed", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
