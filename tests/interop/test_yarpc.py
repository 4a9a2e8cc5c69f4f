"""Services without YARPC and our YARPC: tchannel-node 4.0.1 and 3.10.1, tchannel-python 2.1.0.

They know nothing of YARPC's headers; nothing of them may stand in their way, nor theirs in ours.
"""

import pytest
from thirdparty.install import IDL as FOLDER
from thirdparty.peer import CallError

from tchannel import Response, TChannel, errors, thrift
from tchannel_wire import decode_thrift_headers, encode_thrift_headers
from tchannel_yarpc import (
    ApplicationError,
    Code,
    NotFoundError,
    UnavailableError,
    Yarpc,
    YarpcError,
)

IDL = FOLDER / "keyvalue.thrift"

CODES = {
    "timeout": Code.DEADLINE_EXCEEDED,
    "cancelled": Code.CANCELLED,
    "busy": Code.RESOURCE_EXHAUSTED,
    "declined": Code.UNAVAILABLE,
    "unexpected": Code.INTERNAL,
    "bad-request": Code.INVALID_ARGUMENT,
    "network": Code.UNAVAILABLE,
    "unhealthy": Code.INTERNAL,
}
HEADERS = {"token": "é", "empty": ""}


# -- we call them ----------------------------------------------------------------------------------


@pytest.fixture
async def yarpc():
    async with TChannel("our-client") as channel:
        yield Yarpc(channel)


@pytest.fixture
def module(peer):
    return thrift.load(IDL, service=peer.service, hostport=peer.hostport)


async def test_raw_and_json_calls_come_back_as_they_were_sent(yarpc, peer):
    where = {"hostport": peer.hostport, "timeout": 5}

    raw = await yarpc.raw(peer.service, "echo", b"b\xff", HEADERS, **where)
    json = await yarpc.json(peer.service, "json-echo", {"a": [1, None, "ü"]}, HEADERS, **where)

    assert (raw.body, raw.headers) == (b"b\xff", HEADERS)
    assert (json.body, json.headers) == ({"a": [1, None, "ü"]}, HEADERS)


async def test_a_header_that_is_not_utf8_comes_back_as_it_was_sent(yarpc, peer):
    headers = {"odd": "a\udcffb"}

    response = await yarpc.raw(peer.service, "echo", b"", headers, hostport=peer.hostport)

    assert response.headers == headers


async def test_what_failed_without_a_code_of_yarpc_is_an_answer(yarpc, peer):
    response = await yarpc.json(peer.service, "json-fail", {"q": 1}, hostport=peer.hostport)

    assert response.status == 1
    assert response.body["type"] == "as-asked"


async def test_thrift_values_and_exceptions(yarpc, module):
    found = await yarpc.thrift(module.KeyValue.getValue("hello"), HEADERS, timeout=5)
    assert found.body == "world"

    with pytest.raises(module.NotFound) as caught:
        await yarpc.thrift(module.KeyValue.getValue("nope"), timeout=5)
    assert caught.value.key == "nope"
    assert ApplicationError.of(caught.value) is None

    with pytest.raises(YarpcError) as caught:
        await yarpc.thrift(module.KeyValue.crash(), timeout=5)
    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize("name", CODES)
async def test_each_of_their_error_frames_has_its_code(yarpc, peer, name):
    with pytest.raises(YarpcError) as caught:
        await yarpc.raw(peer.service, f"error-{name}", hostport=peer.hostport, timeout=5)

    assert caught.value.code is CODES[name]
    assert f"as asked: {name}" in caught.value.message
    assert isinstance(caught.value.__cause__, errors.TChannelError)


async def test_a_routing_key_does_not_disturb_them(yarpc, peer):
    response = await yarpc.raw(
        peer.service, "echo", b"b", hostport=peer.hostport, routing_key="canary", timeout=5
    )

    assert response.body == b"b"


# -- they call us ----------------------------------------------------------------------------------


@pytest.fixture
async def server():
    module = thrift.load(IDL)
    async with TChannel("our-service", hostport="127.0.0.1:0") as channel:
        yarpc = Yarpc(channel)

        @yarpc.raw.register
        async def echo(request):
            return Response(request.body, request.headers)

        @yarpc.json.register("json-echo")
        async def json_echo(request):
            return Response(request.body, request.headers)

        @yarpc.raw.register
        def fail(request):
            raise NotFoundError("gone", body=b"part")

        @yarpc.json.register("json-fail")
        def json_fail(request):
            raise NotFoundError("gone", body={"type": "gone", "message": "part"})

        @yarpc.thrift.register(module.KeyValue)
        def getValue(request):
            if request.body.key == "away":
                raise UnavailableError("later")
            if request.body.key != "hello":
                raise module.NotFound(request.body.key)
            return Response("world", request.headers)

        channel.listen()
        yield channel


@pytest.fixture
def call(server, peer):
    """A function that lets the peer call us."""

    def call(endpoint, **kwargs):
        return peer.call_async(server.hostport, "our-service", endpoint, **kwargs)

    return call


async def test_their_raw_calls_have_the_header_block_of_yarpc(call):
    answer = await call("echo", head=encode_thrift_headers({"K": "v"}), body=b"b\xff")
    bare = await call("echo", head=b"", body=b"b")

    assert (answer.ok, answer.body) == (True, b"b\xff")
    headers = decode_thrift_headers(answer.head)
    assert headers == {"k": "v", "$rpc$-service": "our-service"}
    assert (bare.ok, bare.body) == (True, b"b")


async def test_their_json_calls_are_answered_in_kind(call):
    answer = await call("json-echo", scheme="json", head={"k": "v"}, body={"a": [1, None, "ü"]})

    assert (answer.ok, answer.body) == (True, {"a": [1, None, "ü"]})
    assert answer.head["k"] == "v"
    assert answer.head["$rpc$-service"] == "our-service"


async def test_errors_of_handlers_are_application_errors_to_them(call):
    raw = await call("fail")
    json = await call("json-fail", scheme="json", body={})

    assert (raw.ok, raw.body) == (False, b"part")
    assert decode_thrift_headers(raw.head)["$rpc$-error-code"] == "not-found"
    assert not json.ok
    assert json.body["type"] == "gone"


async def test_thrift_calls_give_values_exceptions_and_error_frames(call):
    async def get(key):
        return await call("KeyValue::getValue", scheme="thrift", head={"h": "1"}, body={"key": key})

    found = await get("hello")
    assert (found.ok, found.body, found.head["h"]) == (True, "world", "1")
    missing = await get("nope")
    assert (missing.ok, missing.exception, missing.body["key"]) == (False, "notFound", "nope")
    with pytest.raises(CallError) as caught:
        await get("away")
    assert (caught.value.code, caught.value.message) == (4, "later")
