"""Peers that do what the test says, frame by frame."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import tchannel_wire as wire

HEALTHY = b"\x0c\x00\x00\x02\x00\x01\x01\x00\x00"


class Scripted:
    """A peer that answers introductions, pings and calls as a healthy one, unless it is told otherwise.

    Attributes:
        announces: The address that it announces; None for its own.
        says: What it answers to a message, by the type of the message: a function of the message
            that returns messages or bytes; None closes the connection.
        process: Its process name.

    """

    def __init__(self) -> None:
        self.announces: str | None = None
        self.process = "scripted[1]"
        self.says: dict[type, Callable[[Any], Iterable[Any] | None]] = {}
        self.greets = b""
        self.hostport = ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.hostport = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def introduction(self, **headers: str) -> wire.InitResponse:
        """The answer to an introduction."""
        own = {"host_port": self.announces or self.hostport, "process_name": self.process}
        return wire.InitResponse(id=1, headers=own | headers)

    @staticmethod
    def answer(request: wire.CallRequest) -> wire.CallResponse:
        """The answer to a call, of a healthy service."""
        return wire.CallResponse(
            id=request.id,
            code=0,
            headers={"as": "thrift"},
            checksum_type=request.checksum_type,
            chunks=[b"", b"\0\0", HEALTHY],
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        buffer = wire.FrameBuffer()
        unfinished: dict[int, wire.CallRequest] = {}
        try:
            writer.write(self.greets)
            while data := await reader.read(65536):
                for frame in buffer.split(data):
                    message = wire.decode(frame)
                    if isinstance(message, wire.CallRequest) and message.more:
                        unfinished[message.id] = message
                        continue
                    if isinstance(message, wire.CallRequestContinue):
                        if message.more:
                            continue
                        message = unfinished.pop(message.id)
                    said = self._answer(message)
                    if said is None:
                        return
                    for one in said:
                        writer.write(one if isinstance(one, bytes) else wire.encode(one))
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    def _answer(self, message: Any) -> Iterable[Any] | None:
        if type(message) in self.says:
            return self.says[type(message)](message)
        if isinstance(message, wire.InitRequest):
            return [self.introduction()]
        if isinstance(message, wire.PingRequest):
            return [wire.PingResponse(id=message.id)]
        if isinstance(message, wire.CallRequest):
            if (
                not wire.verify_chunks(message.checksum_type, message.checksum, message.chunks, 0)
                and not message.more
            ):
                return [
                    wire.ErrorMessage(id=message.id, code=6, description="bad checksum"),
                ]
            return [self.answer(message)]
        return []


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    """A peer; the test says in what it differs from a healthy one."""
    peer = Scripted()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 for a month, with its key."""
    import datetime
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "scripted")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "peer.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def doctor(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Examine a peer; returns the exit code and the findings, (verdict, text, mend) by check."""

    async def examine(hostport: str, *options: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
        ran = await tool("doctor", hostport, "--json", "--timeout", "300ms", *options)
        assert ran.err == "", ran.err
        found = {
            one["check"]: (one["verdict"], one["text"], one["mend"])
            for peer in ran.json
            for one in peer["findings"]
        }
        return ran.code, found

    return examine
