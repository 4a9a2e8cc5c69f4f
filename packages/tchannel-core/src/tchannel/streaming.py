"""Bodies that are read as they arrive."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextvars import Context
from logging import Logger
from typing import TYPE_CHECKING

from ._ground.logs import logger

if TYPE_CHECKING:
    from typing import Self

    from tchannel_wire import FragmentWriter

    from ._ground.log_fields import LogFields
    from ._links.connection import Connection

__all__ = ["Body", "close_body", "to_chunk", "write_chunk"]


log: Logger = logger("tchannel.streaming")


class Body(AsyncIterator[bytes]):
    """A streamed body: iterate over it with ``async for`` to get its chunks.

    A reader that is slower than the sender stops the whole connection from being read once
    ``options.stream_buffer`` bytes wait, or ``options.reassembly_memory`` of all such bodies
    together: TChannel has no flow control of its own.

    Raises:
        TChannelError: while iterating, when the rest will not arrive.

    """

    __slots__ = (
        "_callbacks",
        "_chunks",
        "_connection",
        "_counted",
        "_ended",
        "_error",
        "_held",
        "_on_close",
        "_size",
        "_waiter",
        "_wanted",
    )

    def __init__(
        self, connection: Connection | None, on_close: Callable[[], object] | None = None
    ) -> None:
        self._connection = connection
        self._on_close = on_close
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._counted = 0
        self._ended = False
        self._held = False
        self._wanted = True
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._callbacks: tuple[Callable[[BaseException | None], object], ...] = ()

    def add_done_callback(self, callback: Callable[[BaseException | None], object]) -> None:
        """Call ``callback(error)`` once nothing more comes; at once where that is so already.

        ``error`` is why the rest did not arrive; None at the end, and for a reader who stopped. What
        it raises is logged.
        """
        if self._ended or not self._wanted or self._error is not None:
            self._tell((callback,))
        else:
            self._callbacks = (*self._callbacks, callback)

    def feed(self, data: bytes, last: bool) -> None:
        """Take a chunk from the peer."""
        if data and self._wanted:
            self._chunks.append(data)
            self._size += len(data)
            connection = self._connection
            if connection is not None and not last:
                self._counted += len(data)
                self._count(len(data))
                if not self._held and self._size > connection.channel.options.stream_buffer:
                    self._held = True
                    connection.hold_for_body()
        if last:
            self._ended = True
            self._end()
        self._wake()

    def fail(self, error: BaseException) -> None:
        """Let the reader see ``error`` after the chunks that did arrive."""
        if not self._ended and self._error is None:
            self._error = error
            self._end()
            self._wake()

    def discard(self) -> None:
        """Read nothing more: what comes is thrown away."""
        self._wanted = False
        self._chunks.clear()
        self._size = 0
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop reading; a call that is still being answered is cancelled."""
        self.discard()
        if not self._ended and self._on_close is not None:
            self._on_close()
        self._wake()

    def __del__(self) -> None:
        if self._callbacks:  # dropped unread: nothing more comes
            self._tell(self._callbacks)
        connection, on_close = self._connection, self._on_close
        if on_close is None or connection is None or self._ended or not self._wanted:
            return
        if self._error is not None or connection.closed:
            return
        warnings.warn(
            f"a streamed answer of {connection.address} was dropped: read it to its end, or use"
            " 'async with response.body'",
            ResourceWarning,
            stacklevel=2,
        )
        with contextlib.suppress(RuntimeError):  # its loop is over already
            connection.loop.call_soon_threadsafe(on_close, context=Context())

    @property
    def ended(self) -> bool:
        """True once the peer has sent everything."""
        return self._ended

    async def read(self) -> bytes:
        """Return all that is left of the body."""
        return b"".join([chunk async for chunk in self])

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._ended or not self._wanted:
                raise StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError("a body is read by one reader only")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        chunk = self._chunks.popleft()
        self._size -= len(chunk)
        connection = self._connection
        if connection is not None and self._counted:
            self._counted -= len(chunk)
            self._count(-len(chunk))
        if connection is not None and self._size <= connection.channel.options.stream_buffer // 2:
            self._release()
        return chunk

    def _count(self, size: int) -> None:
        connection = self._connection
        assert connection is not None
        if self._on_close is None:
            connection.count_streamed_request(size)
        else:
            connection.count_streamed(size)

    def _end(self) -> None:
        """Nothing more comes of it: a body that nobody reads must not hold the others up."""
        if self._connection is not None and self._counted:
            self._count(-self._counted)
            self._counted = 0
        self._release()
        if self._callbacks:
            callbacks, self._callbacks = self._callbacks, ()
            self._tell(callbacks)

    def _tell(self, callbacks: tuple[Callable[[BaseException | None], object], ...]) -> None:
        for callback in callbacks:
            try:
                callback(self._error)
            except Exception:
                log.exception("a callback at the end of a streamed body failed: %r", callback)

    def _release(self) -> None:
        if self._held and self._connection is not None:
            self._held = False
            self._connection.release_body()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def to_chunk(chunk: object) -> bytes:
    """Return what is sent for a piece of a streamed body: bytes and the like, or a str as UTF-8.

    Raises:
        TypeError: it is neither; ``bytes(5)`` would be five zeros.

    """
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    if isinstance(chunk, str):
        return chunk.encode()
    raise TypeError(f"a streamed body is made of bytes, not {type(chunk).__name__}")


async def write_chunk(connection: Connection, writer: FragmentWriter, chunk: object) -> None:
    """Send a piece of a streamed body, and wait while the peer takes in less than it is sent.

    Raises:
        TypeError: ``chunk`` is nothing that a body is made of.

    """
    writer.write(to_chunk(chunk))
    connection.flush_soon()
    if connection.paused or writer.buffered > connection.channel.options.stream_buffer:
        await connection.writable()


async def close_body(body: object, whose: LogFields) -> None:
    """Close the iterator of a body that is sent, if it can be closed; its failure is logged."""
    close = getattr(body, "aclose", None)
    if close is not None:
        try:
            await close()
        except Exception:
            log.exception(
                "closing the body %r failed (service %s, endpoint %s, peer %s)",
                body,
                whose["service"],
                whose["endpoint"],
                whose["peer"],
                extra=whose,
            )
