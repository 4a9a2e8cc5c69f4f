"""An instance of a service of ours, in a process of its own: ``instance.py NAME PERIOD ROUTER...``.

It says where it listens as a line of JSON, and closes gracefully at the end of its standard input.
"""

import asyncio
import json
import sys

from tchannel import Request, TChannel


async def work(request: Request) -> bytes:
    """Take long enough for some calls to be under way whenever something dies."""
    await asyncio.sleep(0.05)
    return bytes(request.body)


async def main(name: str, period: str, *routers: str) -> None:
    """Serve until standard input ends."""
    async with TChannel(name, hostport="127.0.0.1:0") as channel:
        channel.raw.register("work", work)
        await channel.advertise(routers=routers, period=float(period), jitter=0)
        print(json.dumps({"event": "ready", "hostport": channel.hostport}), flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
