"""A service found by its name, with live page and /metrics: python service.py ROUTER [PAGE-PORT]."""

from __future__ import annotations

import asyncio
import random
import sys

from tchannel import TChannel
from tchannel.errors import BusyError
from tchannel_observe.page import Page


async def main(router: str, port: str = "0") -> None:
    """Serve until told to stop."""
    channel = TChannel("greeter", hostport="127.0.0.1:0")

    @channel.json.register
    async def greet(request):
        await asyncio.sleep(random.expovariate(200))
        if random.random() < 0.02:
            raise BusyError("one call of fifty is refused")
        return {"text": f"Hello, {request.body['name']}"}

    async with channel, Page(channel) as page:
        await channel.advertise(routers=[router])
        page.listen(int(port))
        print(f"advertised, page at {page.url}", flush=True)
        await channel.serve_until_signal()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
