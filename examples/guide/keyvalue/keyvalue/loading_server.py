"""The same server without a compiler and without generated code, for asyncio.

    python keyvalue/loading_server.py [HYPERBAHN_HOSTS.json]

With a file of Hyperbahn addresses it advertises itself there. SIGTERM closes it gracefully.
"""

import asyncio
import signal
import sys
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
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with tchannel:
        tchannel.listen()
        print(f"Listening on {tchannel.hostport}", flush=True)
        if len(sys.argv) > 1:
            await tchannel.advertise(router_file=sys.argv[1])
            print("Advertised", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run())
