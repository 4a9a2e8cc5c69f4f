"""A client, a server, a bad network between them, and one clock for all three.

Nothing waits for real time: the clock is moved while a call waits for something that does not come.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from ssl import SSLContext
from typing import Any

from tchannel import Request, TChannel, errors
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.sync import TChannel as SyncTChannel
from tchannel_testing import FaultProxy, ManualClock
from tchannel_testing import data as testing_data

__all__ = ["LARGE", "TTL", "Scene"]

#: Seconds that the calls of the matrix have.
TTL = 5.0
#: A body of several frames, larger than what a read takes.
LARGE = 200_000

#: Seconds of the clock after which a call that has not ended never will.
_LONGEST = 60.0


class Scene:
    """The parts, and what happened to them.

    Args:
        kind: "async" or "sync": the kind of client, or of handler.
        scheme: "raw", "json", "thrift" or "streaming".
        side: the side that is looked at, "client" or "server"; the other one is async.

    """

    def __init__(self, kind: str, scheme: str, side: str) -> None:
        self.kind = kind
        self.scheme = scheme
        self.side = side
        self.clock = ManualClock()
        self.size = 16
        self.ssl_server: SSLContext | None = None
        self.ssl_client: SSLContext | None = None
        #: What became of each request that reached a handler: "began", then "answered",
        #: "cancelled" or "failed".
        self.handled: list[str] = []
        #: While it is set handlers go on; the fault may come before.
        self.go_on = asyncio.Event()
        self.go_on.set()
        #: Set while a handler runs.
        self.running = asyncio.Event()
        #: Channels that a fault needs besides; closed with the scene.
        self.others: list[TChannel] = []
        self.server: TChannel
        self.proxy: FaultProxy
        self.client: TChannel
        self._caller: Any
        self._module: Any = None

    # -- the parts ------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def set_up(self) -> AsyncIterator["Scene"]:
        """Start all; close all in the end, whatever state they are in."""
        options = Options(handshake_timeout=2.0, close_grace=0.1)
        self.server = TChannel(
            "server", "127.0.0.1:0", clock=self.clock, options=options, ssl_server=self.ssl_server
        )
        self._register()
        self.server.listen()
        self.proxy = FaultProxy(self.server.hostport, clock=self.clock)
        await self.proxy.start()
        common = {"clock": self.clock, "options": options, "ssl_client": self.ssl_client}
        if self._sync_client:
            self._caller = SyncTChannel("client", threadloop=_ThisLoop(), **common)
            self.client = self._caller._channel
        else:
            self._caller = self.client = TChannel("client", **common)
        try:
            yield self
        finally:
            self.go_on.set()
            for channel in (self.client, self.server, *self.others):
                await self._close(channel)
            await self.proxy.close()
            await self.clock.elapse(_LONGEST)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"left behind: {left}"

    async def heal(self) -> None:
        """Take the fault away; a proxy that was closed listens again at its address."""
        if self.proxy._acceptor is not None and self.proxy._socket.fileno() < 0:
            self.proxy = FaultProxy(
                self.server.hostport, listen=self.proxy.hostport, clock=self.clock
            )
            await self.proxy.start()
        self.proxy.clear()
        await self.settle()

    async def _close(self, channel: TChannel) -> None:
        if channel is self.client and self._sync_client:
            closing = asyncio.ensure_future(asyncio.to_thread(self._caller.close))
        else:
            closing = asyncio.ensure_future(channel.close(grace=0.1))
        await self.until_done(closing)
        await closing

    @property
    def _sync_client(self) -> bool:
        return self.side == "client" and self.kind == "sync"

    @property
    def module(self) -> Any:
        """The Thrift service that both sides speak."""
        if self._module is None:
            self._module = testing_data.load(service="server")
        return self._module

    # -- serving --------------------------------------------------------------------------------

    def _register(self) -> None:
        plain = self.side == "server" and self.kind == "sync"
        server = self.server

        async def handle(answer: Callable[[], Any]) -> Any:
            self.handled.append("began")
            at = len(self.handled) - 1
            self.running.set()
            try:
                await self.go_on.wait()
                result = answer()
                self.handled[at] = "answered"
            except asyncio.CancelledError:
                self.handled[at] = "cancelled"
                raise
            return result

        def handle_at_once(answer: Callable[[], Any]) -> Any:
            self.running.set()
            self.handled.append("answered")
            return answer()

        serve: Any = handle_at_once if plain else handle

        def echo(request: Request) -> Any:
            return serve(lambda: request.body)

        server.raw.register("echo", echo)
        server.json.register("echo", echo)
        if self.scheme == "thrift":
            service = self.module.EverythingService

            def echo_thrift(request: Request) -> Any:
                return serve(lambda: request.body.value)

            server.thrift.register(service, handler=echo_thrift, method="upper")

        async def back(request: Request) -> AsyncIterator[bytes]:
            self.handled.append("began")
            at = len(self.handled) - 1
            self.running.set()
            try:
                async for chunk in request.body:
                    yield chunk
                await self.go_on.wait()
                yield b"."
                self.handled[at] = "answered"
            except (asyncio.CancelledError, GeneratorExit):
                self.handled[at] = "cancelled"
                raise
            except errors.TChannelError:
                self.handled[at] = "failed"
                raise

        def back_at_once(request: Request) -> Any:
            self.running.set()
            self.handled.append("answered")
            return request.body + b"."

        server.raw.register("stream", back_at_once if plain else back, stream=not plain)

    # -- calling --------------------------------------------------------------------------------

    async def call(self, size: int | None = None, **arguments: Any) -> "asyncio.Future[bytes]":
        """Start a call; the Future gives the answer's body as bytes."""
        body = b"x" * (self.size if size is None else size)
        arguments = {"hostport": self.proxy.hostport, "timeout": TTL, **arguments}

        def start() -> Any:
            caller = self._caller
            match self.scheme:
                case "raw":
                    return caller.raw("server", "echo", body, **arguments)
                case "json":
                    return caller.json("server", "echo", body.decode(), **arguments)
                case "thrift":
                    request = self.module.EverythingService.upper(body.decode())
                    return caller.thrift(request, **arguments)
                case _:
                    return caller.raw("server", "stream", _chunks(body), stream=True, **arguments)

        if not self._sync_client:
            return asyncio.ensure_future(self._body_of(start()))
        # Its calls are made in threads: in the loop's own it refuses them.
        started = await asyncio.to_thread(start)
        return asyncio.ensure_future(self._body_of(asyncio.wrap_future(started)))

    async def _body_of(self, call: Any) -> bytes:
        response = await call
        body = response.body
        if self.scheme == "streaming":
            return (await body.read()).removesuffix(b".")
        return body if isinstance(body, bytes) else str(body).encode()

    async def until_done(self, future: "asyncio.Future[Any]") -> None:
        """Move the clock until `future` is done.

        It stands still as long as bytes move.
        """
        waited = 0.0
        await self.settle()
        while not future.done():
            # A thread may be on its way.
            await asyncio.wait([future], timeout=0.005)
            assert waited < _LONGEST, f"not done after {waited} s: {future!r}"
            await self.clock.elapse(0.5, turns=3)
            waited += 0.5
            await self.settle()

    async def settle(self) -> None:
        """Let everything happen that happens without the clock."""
        still = 0
        before: object = None
        while still < 12:
            await asyncio.sleep(0)
            proxy = self.proxy
            now = (
                proxy.upstream.bytes,
                proxy.downstream.bytes,
                len(proxy.connections),
                tuple(self.handled),
                self.clock.pending,
                len(inside(self.client).connections),
                len(inside(self.server).connections),
            )
            still = still + 1 if now == before else 0
            before = now

    async def warm_up(self) -> None:
        """Make a call, so that there is a connection."""
        call = await self.call(size=1)
        await self.until_done(call)
        assert await call == b"x"
        self.handled.clear()
        self.running.clear()

    async def until_running(self) -> None:
        """Wait until a handler runs."""
        for _ in range(100):
            if self.running.is_set():
                return
            await self.settle()
        raise AssertionError("no handler was called")


class _ThisLoop:
    """The test's own loop as the ``threadloop=`` of a sync client, which is used by other threads."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """It runs already."""

    def is_ready(self) -> bool:
        return True

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> object:
        return self._loop.call_soon_threadsafe(fn, *args)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]
