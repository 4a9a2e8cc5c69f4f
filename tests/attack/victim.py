"""A service of the library with its default options, in a process of its own.

python victim.py LOOP [CERTIFICATE]    LOOP: asyncio or uvloop; prints the port, serves until it is killed

With a certificate, in a file with its key, it speaks TLS.
"""

import asyncio
import json
import logging
import os
import ssl
import sys
import time

from tchannel import TChannel
from tchannel.lowlevel import inside


def burn(seconds: float) -> None:
    """Use the processor, for its time: by the wall's, work would cost less the busier the machine is."""
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


async def main(certificate: str | None) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    channel = TChannel("victim", hostport="127.0.0.1:0", ssl_server=context)

    @channel.raw.register
    def echo(request):
        return request.body

    @channel.raw.register
    def big(request):
        return bytes(int(request.body))

    @channel.raw.register
    async def late(request):
        await asyncio.sleep(1)
        return bytes(int(request.body))

    @channel.raw.register
    async def slow(request):
        await asyncio.sleep(30)
        return b""

    @channel.raw.register(stream=True)
    async def put(request):
        size = 0
        async for chunk in request.body:
            size += len(chunk)
        return str(size).encode()

    @channel.raw.register
    def work(request):
        burn(float(request.body))
        return b""

    @channel.raw.register
    async def awork(request):
        burn(float(request.body))
        return b""

    @channel.json.register
    def jecho(request):
        return None

    @channel.raw.register
    def stats(request):
        return json.dumps(
            {
                "connections": len(inside(channel).connections),
                "calls": inside(channel).incoming_calls,
                "bytes": inside(channel).incoming_bytes,
                "descriptors": len(os.listdir("/proc/self/fd")),
            }
        ).encode()

    channel.listen()
    print(channel.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    certificate = sys.argv[2] if len(sys.argv) > 2 else None
    if sys.argv[1] == "uvloop":
        import uvloop

        uvloop.run(main(certificate))
    else:
        asyncio.run(main(certificate))
