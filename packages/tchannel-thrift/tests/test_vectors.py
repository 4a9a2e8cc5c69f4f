"""Conversations between other implementations, recorded: their Thrift bodies decode with their IDL."""

import json
import re
from pathlib import Path

import pytest

import tchannel_wire as wire
from tchannel import thrift
from tchannel_thrift.service import services_in

FOLDER = Path(__file__).parent / "vectors"
RECORDINGS = sorted(path.stem for path in FOLDER.glob("*.json"))

HELLO = [("getValue", {"key": "hello"}, {"h": "1"}, "world")]
NOPE = [("getValue", {"key": "nope"}, {}, "NotFound({'key': 'nope'})")]
ME = {"user": "me"}
MEANINGS = {
    "node-thrift": HELLO,
    "py21-thrift": HELLO,
    "node-thrift-exception": NOPE,
    "py21-thrift-exception": NOPE,
    "go-thrift-crc32": [
        ("Set", {"key": "hello", "value": "world"}, ME, None),
        ("Get", {"key": "hello"}, ME, "world"),
        ("Get", {"key": "nokey"}, ME, "KeyNotFound({'key': 'nokey'})"),
        ("Get", {"key": ""}, ME, "InvalidKey({})"),
        ("HealthCheck", {}, ME, "OK"),
    ],
}


def exchanges(name):
    """Each call of a recording: the args of the request, and code and args of the response."""
    requests = {}
    for frame in json.loads((FOLDER / f"{name}.json").read_text())["frames"]:
        message = wire.decode(bytes.fromhex(frame["frame"]))
        if isinstance(message, wire.CallRequest):
            requests[message.id] = message.chunks
        elif isinstance(message, wire.CallResponse):
            yield requests[message.id], message.code, message.chunks


def method(name, function):
    idl = "go_keyvalue.thrift" if name.startswith("go") else "keyvalue.thrift"
    (service,) = services_in(thrift.load(FOLDER / idl))
    return service.method(function)


def test_every_recording_has_a_meaning():
    assert sorted(MEANINGS) == RECORDINGS


@pytest.mark.parametrize("name", RECORDINGS)
def test_requests_mean_what_was_asked_and_are_written_alike(name):
    for (request, _, _), (function, arguments, headers, _) in zip(
        exchanges(name), MEANINGS[name], strict=True
    ):
        called = method(name, function)
        assert request[0].decode() == called.endpoint

        assert called.decode_request(*request[1:]) == (
            headers,
            called.codec.new_args(**arguments),
        )
        assert called.codec.dump_args(called.codec.new_args(**arguments)) == request[2]


@pytest.mark.parametrize("name", RECORDINGS)
def test_responses_mean_what_was_answered_and_are_written_alike(name):
    for (_, code, (_, arg2, arg3)), (function, _, _, meaning) in zip(
        exchanges(name), MEANINGS[name], strict=True
    ):
        answered = method(name, function)
        if code == 0:
            result = answered.decode_response(code, arg2, arg3, {})
            assert result.body == meaning
            assert answered.encode_result(result.body)[2] == arg3
        else:
            with pytest.raises(Exception, match=re.escape(meaning)) as caught:
                answered.decode_response(code, arg2, arg3, {})
            assert answered.encode_error(caught.value)[2] == arg3
