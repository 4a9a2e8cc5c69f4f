"""The README's examples do what they say."""

import ast
import inspect
import pathlib
import re

import pytest

from tchannel import TChannel, errors
from tchannel_testing import vcr
from tchannel_testing.service import FakeService

README = pathlib.Path(__file__).parents[1] / "README.md"


async def run(containing, /, **names):
    """Run the one example that contains this text; the result has its names."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (block,) = [block for block in blocks if containing in block]
    address = names.get("address")
    if address is not None:
        assert "127.0.0.1:4040" in block
        block = block.replace("127.0.0.1:4040", address)
    code = compile(block, str(README), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.isawaitable(result):
        await result
    return names


async def test_the_vcr_example_records_once_and_replays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = TChannel("greeter", hostport="127.0.0.1:0")
    server.json.register("greet", lambda r: {"greeting": f"hello, {r.body['name']}"})
    server.listen()
    async with TChannel("client") as client:
        async with server:
            address = server.hostport
            await (await run("test_greeting", address=address))["test_greeting"](client)
        await (await run("test_greeting", address=address))["test_greeting"](client)

    assert len(vcr.Cassette("cassettes/greeting.yaml").requests) == 1


async def test_the_plugins_example_runs():
    names = await run("test_get")
    async with FakeService("test-service") as service, TChannel("test-client") as client:
        await names["test_get"](client, service)


async def test_the_doubles_example_runs():
    service = (await run("FakeService("))["service"]

    assert service.channel.is_closed()


async def test_the_clocks_example_lets_the_call_time_out():
    async with FakeService("service") as service:
        service.on("slow").hangs()
        call = (await run("ManualClock()", hostport=service.hostport))["call"]

    with pytest.raises(errors.TimeoutError):
        await call


async def test_the_proxys_example_runs():
    async with FakeService("service") as service:
        await run("FaultProxy(", address=service.hostport)
