"""A YARPC service and a caller of it, on the loopback interface; generated code, and recordings."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tchannel import TChannel
from tchannel.interceptors import Reply
from tchannel_yarpc import Yarpc

HERE = Path(__file__).parent
SERVICE = "ystore"


@pytest.fixture
async def server() -> AsyncIterator[TChannel]:
    """A listening channel for the service "ystore"."""
    async with TChannel(SERVICE, hostport="127.0.0.1:0") as channel:
        channel.listen()
        yield channel


@pytest.fixture
async def client(server: TChannel) -> AsyncIterator[TChannel]:
    """A channel whose one peer is `server`."""
    async with TChannel("ycaller", known_peers=[server.hostport]) as channel:
        yield channel


@pytest.fixture
def serving(server: TChannel) -> Yarpc:
    """YARPC on the server."""
    return Yarpc(server)


@pytest.fixture
def calling(client: TChannel) -> Yarpc:
    """YARPC on the client."""
    return Yarpc(client)


@pytest.fixture
def answer(client: TChannel) -> Callable[..., list[Any]]:
    """A function that lets every call of the client be answered by the args given, or an error.

    It returns the list of the calls, which fills.
    """

    def answer(code: int = 0, arg2: bytes = b"\0\0", arg3: bytes = b"", error: Any = None) -> Any:
        seen: list[Any] = []

        def intercept(call: Any, proceed: Any) -> Reply:
            call.described()
            seen.append(call)
            if error is not None:
                raise error
            return Reply(code, arg2, arg3, {"as": call.scheme})

        client.interceptors.outgoing[:] = [intercept]
        return seen

    return answer


@pytest.fixture(scope="session")
def generated() -> Iterator[Callable[[str], ModuleType]]:
    """A function that imports what grpcio-tools generated, as it is: by top-level names."""
    pytest.importorskip("google.protobuf", reason="the extra `protobuf`")
    folder = str(HERE / "proto")
    sys.path.insert(0, folder)
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(folder)


@pytest.fixture
def pb(generated: Callable[[str], ModuleType]) -> Any:
    """The messages of echo.proto."""
    return generated("echo_pb2")


@dataclass(frozen=True)
class Recorded:
    """One request or answer that was seen on the wire."""

    encoding: str
    procedure: str
    code: int | None
    transport: dict[str, str]
    arg2: bytes
    arg3: bytes


def _read(text: str) -> Iterator[Recorded]:
    lines = [line for line in text.splitlines() if not line.startswith("---")]
    for head, arg2, arg3 in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        encoding, procedure, kind, rest = head.split(" ", 3)
        yield Recorded(
            encoding,
            procedure,
            int(rest) if kind == "code" else None,
            ast.literal_eval(rest[rest.index("{") :]) if kind == "ttl" else {},
            ast.literal_eval(arg2.split(" ", 3)[3].strip()),
            ast.literal_eval(arg3.split(" ", 3)[3].strip()),
        )


RECORDED = list(_read((HERE / "vectors" / "yarpc.txt").read_text()))
ANSWERS = {(one.encoding, one.procedure): one for one in RECORDED if one.code is not None}
REQUESTS = [one for one in RECORDED if one.code is None]


@pytest.fixture
def recorded_answers() -> dict[tuple[str, str], Recorded]:
    """The answers of a Go service, by encoding and procedure."""
    return ANSWERS


@pytest.fixture(
    params=REQUESTS, ids=lambda one: f"{one.encoding} {one.procedure} {one.arg3[:24]!r}"
)
def recorded_request(request: pytest.FixtureRequest) -> Recorded:
    """Each request of a Go client."""
    found: Recorded = request.param
    return found


@pytest.fixture
def recorded_requests() -> list[Recorded]:
    """All requests of a Go client."""
    return REQUESTS


@pytest.fixture(scope="session")
def store() -> Any:
    """The Thrift service that was recorded."""
    pytest.importorskip("tchannel_thrift", reason="the extra `thrift`")
    from tchannel import thrift

    return thrift.load(HERE / "vectors" / "store.thrift", service=SERVICE)
