"""One connection, frame by frame: what a channel hides is what a doctor wants to see."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import tchannel_wire as wire
from tchannel.lowlevel import UNIX_PREFIX, parse_hostport, protocol_of

__all__ = ["Heard", "Link", "LinkError", "Request"]

_READ: Final = 64 * 1024
_ENOUGH: Final = 64
_NOTHING: Final = b"\0\0"


class LinkError(Exception):
    """The peer did what no TChannel peer does; the text says what.

    Args:
        text: What it did.
        protocol: The name of the protocol that it speaks instead; None where that is not known.

    """

    def __init__(self, text: str, protocol: str | None = None) -> None:
        super().__init__(text)
        self.protocol = protocol


@dataclass(frozen=True, slots=True)
class Request:
    """A call, and the ways in which it may differ from others.

    Attributes:
        service: The service.
        arg1: The endpoint.
        arg2: Application headers.
        arg3: The body.
        scheme: Arg scheme.
        ttl_ms: Milliseconds.
        checksum_type: The checksum.
        bad_checksum: Whether to send a wrong one.
        piece: Bytes of arg3 in each frame; None for as many as go in.
        caller: Caller name.

    """

    service: str
    arg1: bytes = b"Meta::health"
    arg2: bytes = _NOTHING
    arg3: bytes = b"\0"
    scheme: str = "thrift"
    ttl_ms: int = 5000
    checksum_type: wire.ChecksumType = wire.ChecksumType.CRC32C
    bad_checksum: bool = False
    piece: int | None = None
    caller: str = "tchannel"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a call.

    Attributes:
        kind: "answer", "error", "silence" or "closed".
        seconds: How long it took.
        code: Of the answer or the error frame.
        text: Of the error frame.
        checksum_type: Of the answer.
        right: Whether its checksum is right.

    """

    kind: str
    seconds: float
    code: int = 0
    text: str = ""
    checksum_type: int = 0
    right: bool = True


class Link:
    """A connection to a peer.

    Attributes:
        first: The first bytes that came, some of them.
        notices: Error frames about the connection as a whole.
        tls: The TLS of the connection, or None.

    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = wire.FrameBuffer()
        self._frames: deque[bytes] = deque()
        self._next_id = 2
        self.first: bytes = b""
        self.notices: list[wire.ErrorMessage] = []
        self.tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")

    @classmethod
    async def connect(
        cls,
        hostport: str,
        within: float,
        *,
        context: ssl.SSLContext | None = None,
        server_name: str | None = None,
    ) -> Self:
        """Connect.

        Args:
            hostport: Where to, ``host:port`` or ``unix:/path``.
            within: Seconds.
            context: How to connect by TLS; None for plainly.
            server_name: The name in the certificate; default the host.

        Raises:
            OSError: It cannot be connected to; ssl.SSLError is one.
            TimeoutError: Not in time.

        """
        host, port = parse_hostport(hostport)
        async with asyncio.timeout(within):
            if host.startswith(UNIX_PREFIX):
                return cls(*await asyncio.open_unix_connection(host.removeprefix(UNIX_PREFIX)))
            name = (server_name or host) if context is not None else None
            return cls(
                *await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
            )

    async def close(self) -> None:
        """Close it."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    async def read_some(self, within: float) -> bytes:
        """Return the next bytes; empty at the end of the connection.

        Raises:
            TimeoutError: None in time.

        """
        try:
            async with asyncio.timeout(within):
                data = await self._reader.read(_READ)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            return b""
        self.first += data[: max(0, _ENOUGH - len(self.first))]
        return data

    async def handshake(self, within: float) -> wire.InitResponse:
        """Introduce ourselves as a caller that does not listen, and return the answer.

        Raises:
            LinkError: The peer answers otherwise, or closes the connection.
            TimeoutError: It does not answer in time.

        """
        headers = wire.init_headers(wire.EPHEMERAL_HOST_PORT, "tchannel doctor")
        self.write(wire.encode(wire.InitRequest(id=1, headers=headers)))
        end = _now() + within
        while True:
            message = await self._message(end - _now())
            if message is None:
                raise LinkError("it closes the connection without a word")
            if isinstance(message, wire.InitResponse):
                return message
            if isinstance(message, wire.ErrorMessage):
                raise LinkError(f"it answers: {message.description}")

    async def ping(self, within: float) -> float | None:
        """Return the seconds until it answered a ping; None if it did not."""
        begun = _now()
        self.write(wire.encode(wire.PingRequest(id=self._id())))
        while (left := begun + within - _now()) > 0:
            try:
                message = await self._message(left)
            except TimeoutError:
                return None
            if message is None or isinstance(message, wire.PingResponse):
                return None if message is None else _now() - begun
        return None

    async def call(self, request: Request, within: float) -> Heard:
        """Make a call, and return what came of it.

        Raises:
            LinkError: What came is no TChannel.

        """
        id = self._id()
        for frame in _frames_of(request, id):
            self.write(frame)
        begun = _now()
        while True:
            try:
                message = await self._message(begun + within - _now())
            except TimeoutError:
                return Heard("silence", _now() - begun)
            seconds = _now() - begun
            if message is None:
                last = self.notices[-1].description if self.notices else ""
                return Heard("closed", seconds, text=last)
            if message.id != id:
                continue
            if isinstance(message, wire.ErrorMessage):
                return Heard("error", seconds, message.code, message.description)
            if isinstance(message, wire.CallResponse):
                right = wire.verify_chunks(
                    message.checksum_type, message.checksum, message.chunks, 0
                )
                return Heard("answer", seconds, message.code, "", int(message.checksum_type), right)

    async def _message(self, within: float) -> wire.Message | None:
        """The next message; None at the end of the connection. Notices are kept, pings answered."""
        end = _now() + within
        while True:
            while self._frames:
                try:
                    message = wire.decode(self._frames.popleft())
                except wire.ProtocolError as error:
                    raise LinkError(f"it sends what is no frame: {error}") from None
                if isinstance(message, wire.PingRequest):
                    self.write(wire.encode(wire.PingResponse(id=message.id)))
                elif isinstance(message, wire.ErrorMessage) and (
                    message.id == wire.NO_MESSAGE_ID and not self._is_first(message)
                ):
                    self.notices.append(message)
                else:
                    return message
            # A frame that is complete comes before the end of the time, whatever the time is.
            data = await self.read_some(max(0.0, end - _now()))
            if not data:
                return None
            protocol = protocol_of(self.first)
            if protocol is not None:
                raise LinkError(f"it speaks {protocol}", protocol)
            self._frames += self._buffer.split(data)
            if self._buffer.error is not None:
                raise LinkError(f"it sends what is no frame: {self._buffer.error}")

    def _is_first(self, message: wire.ErrorMessage) -> bool:
        """Whether an error came instead of an introduction."""
        return self._next_id == 2 and message.code == wire.ErrorCode.FATAL

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _now() -> float:
    return asyncio.get_running_loop().time()


def _frames_of(request: Request, id: int) -> list[bytes]:
    """The frames of a call, made here: a connection would never send some of them."""
    room = wire.MAX_PAYLOAD_SIZE - 1024
    size = room if request.piece is None else request.piece
    # What follows the head and arg2 in the first frame may be less than in those after it.
    first = max(0, size - len(request.arg1) - len(request.arg2)) if request.piece is None else size
    pieces = [request.arg3[:first]]
    pieces += [request.arg3[at : at + size] for at in range(first, len(request.arg3), size)]
    frames = []
    checksum = 0
    for index, piece in enumerate(pieces):
        flags = wire.MORE_FRAGMENTS if index + 1 < len(pieces) else 0
        chunks = [request.arg1, request.arg2, piece] if not index else [piece]
        if request.checksum_type == wire.ChecksumType.NONE:
            checksum = 0
        elif request.checksum_type == wire.ChecksumType.FARMHASH:
            checksum = wire.checksum(request.checksum_type, chunks[-1])
        else:
            for chunk in chunks:
                checksum = wire.checksum(request.checksum_type, chunk, checksum)
        sent = checksum ^ 0x5A5A5A5A if request.bad_checksum else checksum
        message: wire.Message
        if index:
            message = wire.CallRequestContinue(
                id=id,
                flags=flags,
                checksum_type=request.checksum_type,
                checksum=sent,
                chunks=chunks,
            )
        else:
            message = wire.CallRequest(
                id=id,
                flags=flags,
                ttl_ms=request.ttl_ms,
                service=request.service,
                headers={wire.ARG_SCHEME: request.scheme, wire.CALLER_NAME: request.caller},
                checksum_type=request.checksum_type,
                checksum=sent,
                chunks=chunks,
            )
        frames.append(wire.encode(message))
    return frames
