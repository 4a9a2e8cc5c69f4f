"""Modules that the real thriftrw loaded, beyond what every kind of module does."""

import sys

import pytest

from tchannel import TChannel
from tchannel.errors import BadRequestError
from tchannel_thrift.adapters.thriftrw import ThriftRWService
from tchannel_thrift.service import services_in

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="thriftrw cannot be built on this Python"
)


@pytest.fixture
def kind(load_kind):
    return load_kind("thriftrw")


def test_its_services_are_told_from_those_of_the_engine(kind, load_kind):
    assert isinstance(services_in(kind.service)[0], ThriftRWService)
    assert not isinstance(services_in(load_kind("engine").service)[0], ThriftRWService)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0b\0\x09\xff\xff\xff\xf0" + bytes(20),  # thriftrw loops for ever on this
        b"\x0c\0\x09" * 200_000,  # and crashes the process on more of this
    ],
)
async def test_bodies_that_harm_thriftrw_never_reach_it(server, client, kind, body):
    server.thrift.register(kind.service, lambda request: "value", "getValue")

    with pytest.raises(BadRequestError):
        await client.call("thrift", "keyvalue", "KeyValue::getValue", b"\0\0", body)


@pytest.mark.parametrize(
    ("function", "head"),
    [
        ("toList", b"\x0f\0\1\x03" + b"\0\0\0\3" + b"abc"),
        ("toSet", b"\x0e\0\1\x03" + b"\0\0\0\3" + b"abc"),
        ("toMap", b"\x0d\0\1\x0b\x03" + b"\0\0\0\1" + b"\0\0\0\1k" + b"a"),
        ("draw", b"\x0f\0\1\x03" + b"\0\0\0\3" + b"abc"),
    ],
)
async def test_elements_of_other_types_never_reach_it(server, client, kind, function, head):
    server.thrift.register(kind.service, lambda request: None, function)
    # thriftrw would read on within this string, and loop for ever on the length that it finds there.
    body = (
        head
        + b"\x0b\0\x09"
        + b"\0\0\0\x20"
        + b"\0\0\x0b\0\x09\xff\xff\xff\xf0" * 3
        + bytes(5)
        + b"\0"
    )

    with pytest.raises(BadRequestError, match="but the payload has a container of"):
        await client.call("thrift", "keyvalue", f"KeyValue::{function}", b"\0\0", body)


def test_values_out_of_range_are_value_errors(kind):
    request = kind.request("toNumber", 5)
    request.call_args.number = 1 << 40

    with pytest.raises(ValueError, match="Field number of KeyValue_toNumber_request is invalid"):
        TChannel("client").thrift(request)


def test_the_field_of_a_struct_within_a_container_is_named(kind):
    points = [kind.shared.Point(1, 2), kind.shared.Point(3, 4)]
    request = kind.request("draw", points)
    points[1].y = "four"

    with pytest.raises(TypeError, match="Field y of Point is invalid"):
        TChannel("client").thrift(request)
