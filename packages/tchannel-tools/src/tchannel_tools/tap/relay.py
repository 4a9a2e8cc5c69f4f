"""Relays connections byte by byte, and lets somebody look at what passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tchannel.lowlevel import format_hostport, parse_hostport

__all__ = ["Passed", "Relay"]

_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Passed:
    """Bytes that went one way, or the beginning or end of a connection.

    Attributes:
        source: Address of who sent them, ``host:port``.
        target: Address of who got them.
        data: The bytes.
        begins: Whether the connection begins; without data.
        ends: Whether this way ends; without data.

    """

    source: str
    target: str
    data: bytes = b""
    begins: bool = False
    ends: bool = False


class Relay:
    """Accepts connections and connects each to a target.

    What passes is looked at after it has been passed on; the looking costs the bytes nothing, and a
    mistake in it nothing but the look.

    Args:
        target: where to connect to, ``host:port``.
        look: told of everything that passes.
        failed: told of a target that cannot be connected to.
        mistaken: told of what `look` raises; by default it goes to the loop's exception handler.

    """

    def __init__(
        self,
        target: str,
        look: Callable[[Passed], object],
        failed: Callable[[OSError], object],
        mistaken: Callable[[Exception], object] | None = None,
    ) -> None:
        self._target = parse_hostport(target)
        self._tell = look
        self._failed = failed
        self._mistaken = mistaken
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, hostport: str) -> str:
        """Listen there; returns the address, with the port that it is.

        Raises:
            OSError: It cannot be listened on.

        """
        host, port = parse_hostport(hostport)
        self._server = await asyncio.start_server(self._accepted, host, port, limit=_READ)
        return format_hostport(*self._server.sockets[0].getsockname()[:2])

    def _look(self, passed: Passed) -> None:
        try:
            self._tell(passed)
        except Exception as error:
            if self._mistaken is not None:
                self._mistaken(error)
            else:
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "looking at what passed a relay failed", "exception": error}
                )

    async def close(self) -> None:
        """End the listening and all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._relay(reader, writer)
        except asyncio.CancelledError:
            pass  # the relay is closed
        finally:
            self._running.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, there_writer = await asyncio.open_connection(*self._target, limit=_READ)
        except OSError as error:
            self._failed(error)
            return
        caller = format_hostport(*writer.get_extra_info("peername")[:2])
        callee = format_hostport(*there_writer.get_extra_info("peername")[:2])
        self._look(Passed(caller, callee, begins=True))
        ways = [
            asyncio.ensure_future(self._pass_on(reader, there_writer, caller, callee)),
            asyncio.ensure_future(self._pass_on(there, writer, callee, caller)),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            there_writer.transport.abort()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: str,
        target: str,
    ) -> None:
        try:
            while data := await reader.read(_READ):
                writer.write(data)
                self._look(Passed(source, target, data))
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except ConnectionError:
            # One side is gone: so is the other.
            with suppress(OSError):
                writer.transport.abort()
        self._look(Passed(source, target, ends=True))
