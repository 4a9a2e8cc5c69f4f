"""The same client without a compiler and without generated code, for asyncio.

python keyvalue/loading_client.py HOST:PORT
"""

import asyncio
import sys
from pathlib import Path

from tchannel import TChannel, thrift

KeyValueClient = thrift.load(
    Path(__file__).parents[1] / "thrift" / "service.thrift",
    service="keyvalue-server",
    hostport=sys.argv[1],
).KeyValue


async def run():
    async with TChannel("keyvalue-client") as tchannel:
        await tchannel.thrift(KeyValueClient.setValue("foo", "Hello, world!"))
        response = await tchannel.thrift(KeyValueClient.getValue("foo"))
        print(response)


if __name__ == "__main__":
    asyncio.run(run())
