"""tcurl run in the loop of a test, services for it to call, a clock, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tchannel import Response, TChannel, thrift
from tchannel.status import FAILED
from tchannel_testing.clock import ManualClock
from tchannel_tools.main import main
from tchannel_tools.tcurl import command

try:
    import uvloop
except ImportError:
    uvloop = None


# As the guide has it: nothing says whether a field is required.
GUIDE_IDL = """
exception NotFoundError {
    1: string key,
}

service KeyValue {
    string getValue(
        1: string key,
    ) throws (
        1: NotFoundError notFound,
    )

    void setValue(
        1: string key,
        2: string value,
    )
}
"""


def pytest_configure(config: pytest.Config) -> None:
    """Let processes be interrupted where a script runs the tests in its background.

    A shell without job control has its background processes ignore SIGINT, and theirs as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Every asynchronous test runs on both loops, where uvloop is installed."""
    if uvloop is None:
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
async def tcp() -> AsyncIterator[Callable[..., TChannel]]:
    """Make channels on real sockets; closed with the test."""
    made: list[TChannel] = []

    def make(name: str = "server", **kwargs: Any) -> TChannel:
        made.append(TChannel(name, **kwargs))
        return made[-1]

    yield make
    for channel in made:
        await channel.close(grace=1)


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """A test leaves no task behind."""
    before = asyncio.all_tasks()
    yield
    for _ in range(30):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left behind: {left}"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of tcurl left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, decoded."""
        return json.loads(self.out)


@pytest.fixture
def tcurl(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run tcurl on arguments in the loop of the test, so that it can call services of the test."""

    async def run(*argv: str) -> Ran:
        capsys.readouterr()
        code = await command.execute(argv)
        printed = capsys.readouterr()
        return Ran(int(code), printed.out, printed.err)

    return run


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration file of the test, which there is none of yet; nobody's own is read."""
    path = tmp_path / "config" / "config.toml"
    monkeypatch.setenv("TCHANNEL_CONFIG", str(path))
    monkeypatch.delenv("TCHANNEL_CONTEXT", raising=False)
    return path


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run ``tchannel`` in a thread, so that it can call services in the loop of the test."""

    async def run(*argv: str) -> Ran:
        capsys.readouterr()
        code = await asyncio.to_thread(main, argv)
        printed = capsys.readouterr()
        return Ran(int(code), printed.out, printed.err)

    return run


@pytest.fixture
async def service(tcp: Callable[..., TChannel]) -> AsyncIterator[TChannel]:
    """A service "keyvalue-server" with endpoints in json and raw."""
    channel = tcp("keyvalue-server", hostport="127.0.0.1:0")

    @channel.json.register("get")
    def get(request):
        return Response(request.body, headers=request.headers)

    @channel.json.register("fail")
    def fail(request):
        return Response({"type": "too-bad", "message": "as asked", "n": 1}, status=FAILED)

    @channel.json.register("crash")
    def crash(request):
        raise RuntimeError("oops")

    @channel.json.register("info")
    def info(request):
        transport = request.transport
        return {
            "caller": transport.caller_name,
            "shard_key": transport.shard_key,
            "routing_delegate": transport.routing_delegate,
            "routing_key": transport.routing_key,
        }

    @channel.raw.register("echo")
    def echo(request):
        return Response(request.body, headers=request.headers)

    @channel.raw.register("headers")
    def headers(request):
        return request.headers

    @channel.raw.register("sorry")
    def sorry(request):
        return Response(b"no way", status=FAILED)

    channel.listen()
    return channel


@pytest.fixture
def guide_idl(tmp_path: Path) -> Path:
    """The guide's Thrift file."""
    path = tmp_path / "service.thrift"
    path.write_text(GUIDE_IDL)
    return path


@pytest.fixture
async def keyvalue(service: TChannel, guide_idl: Path) -> TChannel:
    """The service with the guide's Thrift endpoints as well."""
    module = thrift.load(guide_idl, service="keyvalue-server")
    values: dict[str, str] = {}

    @service.thrift.register(module.KeyValue)
    def getValue(request):
        if request.body.key not in values:
            raise module.NotFoundError(request.body.key)
        return values[request.body.key]

    @service.thrift.register(module.KeyValue)
    def setValue(request):
        values[request.body.key] = request.body.value

    return service


@pytest.fixture
def unused_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
