"""The same client without a compiler and without generated code, for asyncio.

    python keyvalue/loading_client.py [HOST:PORT]

Without an address it finds the service by way of the Hyperbahn on this machine.
"""

import asyncio
import sys
from pathlib import Path

from tchannel import TChannel, thrift

HOSTPORT = sys.argv[1] if len(sys.argv) > 1 else None

KeyValueClient = thrift.load(
    Path(__file__).parents[1] / "thrift" / "service.thrift",
    service="keyvalue-server",
    hostport=HOSTPORT,
).KeyValue


async def run():
    async with TChannel("keyvalue-client") as tchannel:
        if HOSTPORT is None:
            await tchannel.advertise(routers=["127.0.0.1:21300"])

        await tchannel.thrift(KeyValueClient.setValue("foo", "Hello, world!"))
        response = await tchannel.thrift(KeyValueClient.getValue("foo"))
        print(response)


if __name__ == "__main__":
    asyncio.run(run())
