"""Calls by the scheme, found by its name alone. Install it first: pip install ./examples/scheme"""

import asyncio
import sys
import time

from tchannel import TChannel
from tchannel.errors import BadRequestError


async def main() -> int:
    """A call with bytes and dates, which JSON could not say; and one that is no MessagePack."""
    async with TChannel("server", hostport="127.0.0.1:0") as server, TChannel("client") as client:

        @server.scheme("msgpack").register("echo")
        async def echo(request):
            return request.body

        server.listen()
        msgpack = client.scheme("msgpack")
        body = {"bytes": b"\x00\xff", "list": [1, 2.5, None]}
        began = time.perf_counter()
        response = await msgpack("server", "echo", body, hostport=server.hostport, timeout=5)
        print(f"{(time.perf_counter() - began) * 1e3:10.2f} ms  {response.body}")
        try:
            await client.start_call(
                "msgpack", "server", "echo", b"\0\0", b"\xc1", bytes, hostport=server.hostport
            )
        except BadRequestError as error:
            print(f"               refused: {error.description}")
            return 0 if response.body == body else 1
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
