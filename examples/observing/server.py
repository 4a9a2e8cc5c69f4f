"""A service whose metrics Prometheus scrapes: python server.py [hostport [port for Prometheus]]."""

from __future__ import annotations

import asyncio
import random
import sys

from prometheus_client import start_http_server

from tchannel import TChannel
from tchannel.errors import BusyError
from tchannel_observe.prometheus import register


def make_server(hostport: str) -> TChannel:
    """Return a channel that answers most calls, some of them late."""
    server = TChannel("observed", hostport=hostport)

    @server.json.register
    async def greet(request):
        await asyncio.sleep(random.expovariate(200))
        if random.random() < 0.02:
            raise BusyError("one call of fifty is refused")
        return {"text": f"Hello, {request.body['name']}"}

    register(server)
    return server


async def main(hostport: str = "127.0.0.1:4040", port: str = "9464") -> None:
    start_http_server(int(port), "127.0.0.1")
    async with make_server(hostport) as server:
        server.listen()
        print(f"listening on {server.hostport}, metrics at http://127.0.0.1:{port}/metrics")
        await server.serve_until_signal()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
