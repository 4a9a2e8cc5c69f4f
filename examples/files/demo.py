"""Files over streams: neither side ever holds more than a piece of one.

    python examples/files/demo.py

Puts a file of 32 MiB to a server and gets it back, and compares digests; exits with 1 if they differ.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tchannel import Response, TChannel
from tchannel.errors import BadRequestError
from tchannel.status import FAILED

PIECE = 256 * 1024
SIZE = 32 * 1024 * 1024


async def pieces_of(path: Path) -> AsyncIterator[bytes]:
    """Read a file piece by piece; reading happens in a thread, so that other calls go on."""
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


def make_server(folder: Path) -> TChannel:
    """A service that keeps files in a folder, by plain names."""
    channel = TChannel("files", hostport="127.0.0.1:0")

    def path_of(name: bytes) -> Path:
        text = name.decode()
        if Path(text).name != text or text in {"", ".", ".."}:
            raise BadRequestError("a file's name is a plain name")
        return folder / text

    @channel.raw.register("put", stream=True)
    async def put(request):
        path = path_of(request.headers)
        digest = hashlib.sha256()
        # Under another name until it is whole: nobody reads half a file.
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            async for piece in request.body:
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
        part.rename(path)
        return digest.hexdigest()

    @channel.raw.register("get")
    async def get(request):
        path = path_of(request.body)
        if not path.exists():
            return Response(b"no such file", status=FAILED)
        return pieces_of(path)

    return channel


async def main() -> int:
    """Put, get, compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        source.write_bytes(bytes(range(256)) * (SIZE // 256))
        wanted = hashlib.sha256(source.read_bytes()).hexdigest()
        (folder / "kept").mkdir()
        async with make_server(folder / "kept") as server, TChannel("client") as client:
            server.listen()

            began = time.perf_counter()
            response = await client.raw(
                "files",
                "put",
                pieces_of(source),
                b"one",
                hostport=server.hostport,
                timeout=60,
            )
            put = response.body.decode()
            print(f"{(time.perf_counter() - began) * 1e3:10.2f} ms  put 32 MiB: {put[:16]}")

            began = time.perf_counter()
            digest = hashlib.sha256()
            response = await client.raw(
                "files", "get", b"one", hostport=server.hostport, timeout=60, stream=True
            )
            async with response.body:
                async for piece in response.body:
                    digest.update(piece)
            got = digest.hexdigest()
            print(f"{(time.perf_counter() - began) * 1e3:10.2f} ms  get 32 MiB: {got[:16]}")
    return 0 if put == got == wanted else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
