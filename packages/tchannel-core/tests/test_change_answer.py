"""Answers that depend on how the request came: `tchannel.lowlevel.change_answer`."""

import pytest

from tchannel import TChannel
from tchannel.errors import UnexpectedError
from tchannel.lowlevel import Endpoint, change_answer


def decode(arg2, arg3):
    if arg3.startswith(b"loud "):
        change_answer(bytes.upper)
    return {}, arg3


def encode(result):
    return 0, b"", result


def encode_error(error):
    return (1, b"", str(error).encode()) if isinstance(error, KeyError) else None


async def serve(handler):
    server = TChannel("server", hostport="127.0.0.1:0")
    server.listen()
    server.endpoints.add("say", Endpoint("raw", handler, decode, encode, encode_error))
    return server


async def test_only_the_answer_to_that_call_is_changed():
    async with await serve(lambda request: b"hello") as server, TChannel("client") as client:
        answers = [
            (await client.raw("server", "say", body, hostport=server.hostport)).body
            for body in (b"quiet", b"loud one", b"quiet")
        ]
    assert [bytes(answer) for answer in answers] == [b"hello", b"HELLO", b"hello"]


async def test_declared_exceptions_are_changed_and_error_frames_are_not():
    async def handler(request):
        raise KeyError("gone") if b"key" in request.body else ValueError("broken")

    async with await serve(handler) as server, TChannel("client") as client:
        answer = await client.raw("server", "say", b"loud key", hostport=server.hostport)
        assert bytes(answer.body) == b"'GONE'"
        with pytest.raises(UnexpectedError, match="ValueError: broken"):
            await client.raw("server", "say", b"loud", hostport=server.hostport)
        with pytest.raises(UnexpectedError, match="ValueError: broken"):
            await client.raw("server", "say", b"loud value", hostport=server.hostport)


def test_outside_of_a_call_it_is_refused():
    with pytest.raises(RuntimeError, match="no call is being served"):
        change_answer(bytes.upper)
