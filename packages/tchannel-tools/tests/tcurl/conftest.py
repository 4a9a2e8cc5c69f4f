"""tcurl run in this process, and services for it to call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tchannel import Response, TChannel, thrift
from tchannel.status import FAILED
from tchannel_tools.tcurl import command

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
