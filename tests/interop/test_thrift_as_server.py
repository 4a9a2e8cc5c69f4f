"""tchannel-node 4.0.1 and 3.10.1, tchannel-python 2.1.0 and tcurl call our Thrift service."""

import asyncio
from pathlib import Path

import pytest
from thirdparty.install import IDL as FOLDER
from thirdparty.peer import CallError
from thirdparty.tcurl import tcurl_async

from tchannel import Response, TChannel, thrift
from tchannel_thrift import meta
from tchannel_thrift.meta import HealthState, HealthStatus, Meta

IDL = FOLDER / "keyvalue.thrift"
META = Path(meta.__file__).with_name("meta.thrift")


class Store:
    """The service of the peers' IDL, as they serve it themselves."""

    def __init__(self, module):
        self.module = module
        self.values = {"hello": "world"}

    def getValue(self, request):
        if request.body.key not in self.values:
            raise self.module.NotFound(request.body.key)
        return Response(self.values[request.body.key], request.headers)

    async def setValue(self, request):
        await asyncio.sleep(0)
        if not request.body.key:
            raise self.module.InvalidKey(key="", reason="empty")
        self.values[request.body.key] = request.body.value

    def crash(self, request):
        raise RuntimeError("crashed as asked")

    def echo(self, request):
        return request.body.everything


@pytest.fixture
async def server():
    module = thrift.load(IDL)
    async with TChannel("our-service", hostport="127.0.0.1:0") as channel:
        channel.thrift.register(module.KeyValue, Store(module))
        channel.listen()
        yield channel


@pytest.fixture
def ask(server, peer):
    """A function that lets the peer call a function of ours."""

    async def ask(function, head=None, **arguments):
        return await peer.call_async(
            server.hostport,
            "our-service",
            f"KeyValue::{function}",
            scheme="thrift",
            head=head or {},
            body=arguments,
        )

    return ask


@pytest.fixture
def curl(server):
    """A function that lets tcurl call a function of ours."""

    async def curl(function, body, head=None):
        return await tcurl_async(
            server.hostport, "our-service", f"KeyValue::{function}", body=body, head=head, idl=IDL
        )

    return curl


async def test_results_and_headers_arrive(ask):
    answer = await ask("getValue", {"h": "é"}, key="hello")

    assert (answer.ok, answer.body, answer.head) == (True, "world", {"h": "é"})
    assert answer.transport["as"] == "thrift"


async def test_declared_exceptions_are_answers(ask):
    absent = await ask("getValue", key="nowhere")
    invalid = await ask("setValue", key="", value="v")

    assert (absent.ok, absent.exception, absent.body["key"]) == (False, "notFound", "nowhere")
    assert (invalid.ok, invalid.exception, invalid.body["reason"]) == (False, "invalidKey", "empty")


async def test_a_value_that_was_set_is_there(ask):
    large = "é" * 100_000

    assert (await ask("setValue", key="theirs", value=large)).body is None
    assert (await ask("getValue", key="theirs")).body == large


async def test_an_undeclared_exception_is_an_unexpected_error(ask):
    with pytest.raises(CallError, match="RuntimeError: crashed as asked") as caught:
        await ask("crash")

    assert caught.value.code == 5


async def test_structs_come_back(ask):
    everything = {
        "yes": True,
        "tiny": 7,
        "medium": 7,
        "real": 0.5,
        "text": "é",
        "points": [{"x": 1, "y": -2}],
        "counts": {"a": 1},
    }

    body = (await ask("echo", everything=everything)).body

    assert everything == {name: body[name] for name in everything}


async def test_an_unknown_function_is_a_bad_request(server, peer):
    with pytest.raises(CallError) as caught:
        await peer.call_async(server.hostport, "our-service", "KeyValue::nope")

    assert caught.value.code == 6


async def test_tcurl_gets_results(curl):
    answer = await curl("getValue", '{"key": "hello"}', '{"h": "1"}')

    assert answer.code == 0, answer
    assert (answer.output["ok"], answer.output["body"]) == (True, "world")
    assert answer.output["head"] == {"h": "1"}


async def test_tcurl_sets_values(curl):
    assert (await curl("setValue", '{"key": "k", "value": "v"}')).code == 0

    assert (await curl("getValue", '{"key": "k"}')).output["body"] == "v"


async def test_tcurl_gets_declared_exceptions(curl):
    answer = await curl("getValue", '{"key": "hi"}')

    assert answer.code == 126
    assert answer.output["ok"] is False
    assert answer.output["body"]["key"] == "hi"


async def test_tcurl_gets_unexpected_errors(curl):
    answer = await curl("crash", "{}")

    assert answer.code == 5
    assert "crashed as asked" in answer.errors + str(answer.output)


async def test_tcurl_is_told_our_health(server):
    healthy = await tcurl_async(server.hostport, "our-service", health=True)
    server.thrift.register(
        Meta,
        lambda request: HealthStatus(ok=False, message="sore", state=HealthState.REFUSING),
        "health",
    )
    sore = await tcurl_async(server.hostport, "our-service", health=True)

    assert healthy.code == 0, healthy
    assert sore.code == 124, sore
    assert "sore" in sore.errors + str(sore.output)


@pytest.mark.parametrize("service", ["our-service", "tchannel"])
async def test_tcurl_asks_for_our_idl_and_version(server, service):
    answer = await tcurl_async(server.hostport, service, "Meta::thriftIDL", body="{}", idl=META)
    version = await tcurl_async(server.hostport, service, "Meta::versionInfo", body="{}", idl=META)

    assert answer.output["body"]["entryPoint"] == "keyvalue.thrift"
    assert answer.output["body"]["idls"] == {"keyvalue.thrift": IDL.read_text()}
    assert version.output["body"]["language"] == "python"
