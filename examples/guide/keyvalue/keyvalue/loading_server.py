"""The same server without a compiler and without generated code, for asyncio.

python keyvalue/loading_server.py
"""

import asyncio
from pathlib import Path

from tchannel import TChannel, thrift

service = thrift.load(Path(__file__).parents[1] / "thrift" / "service.thrift")

tchannel = TChannel("keyvalue-server")

values = {}


@tchannel.thrift.register(service.KeyValue)
def getValue(request):
    key = request.body.key

    if key not in values:
        raise service.NotFoundError(key)

    return values[key]


@tchannel.thrift.register(service.KeyValue)
async def setValue(request):
    values[request.body.key] = request.body.value


async def run():
    tchannel.listen()
    print(f"Listening on {tchannel.hostport}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run())
