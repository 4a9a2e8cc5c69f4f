"""A service for the soak: ``python server.py PORT``; it tells on standard output where it listens."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

from tchannel import Request, TChannel, errors
from tchannel.options import Options
from tchannel_testing import data as testing_data

__all__ = ["Service"]


class Service:
    """A channel with every kind of endpoint, which remembers what it was asked only once for.

    Args:
        hostport: where it listens.

    """

    def __init__(self, hostport: str) -> None:
        self.channel = TChannel("soak", hostport, options=Options(close_grace=1.0))
        #: Keys of calls that may be handled once at most.
        self.seen: set[bytes] = set()
        #: Those that were handled again.
        self.twice: list[bytes] = []
        self._register()

    def _register(self) -> None:
        raw, json = self.channel.raw.register, self.channel.json.register
        module = testing_data.load(service="soak")

        @raw("echo")
        def echo(request: Request) -> bytes:
            return bytes(request.body)

        @raw("once")
        def once(request: Request) -> bytes:
            key = bytes(request.body)
            if key in self.seen:
                self.twice.append(key)
            self.seen.add(key)
            return key

        @raw("slow")
        async def slow(request: Request) -> bytes:
            await asyncio.sleep(float(request.body))
            return b"slept"

        @raw("busy")
        def busy(request: Request) -> bytes:
            raise errors.BusyError("always")

        @raw("broken")
        async def broken(request: Request) -> bytes:
            raise RuntimeError("as it is meant to be")

        @raw("stream", stream=True)
        async def stream(request: Request) -> AsyncIterator[bytes]:
            async for chunk in request.body:
                yield chunk

        @raw("endless")
        async def endless(request: Request) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.01)

        @json("json")
        async def echo_json(request: Request) -> Any:
            return {"you said": request.body}

        @self.channel.thrift.register(module.EverythingService)
        def upper(request: Request) -> str:
            return str(request.body.value).upper()


async def _main(port: str) -> None:
    service = Service(f"127.0.0.1:{port}")
    service.channel.listen()
    sys.stdout.write(f"{service.channel.hostport}\n")
    sys.stdout.flush()
    # Until it is killed, or whoever started it is gone.
    loop = asyncio.get_running_loop()
    gone = loop.create_future()
    loop.add_reader(0, lambda: gone.done() or gone.set_result(None))
    await gone
    await service.channel.close()


if __name__ == "__main__":
    logging.disable()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(sys.argv[1]))
