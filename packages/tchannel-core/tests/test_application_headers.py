"""Application headers as interceptors read and set them, whatever the scheme."""

import pytest

import tchannel_wire as wire
from tchannel.interceptors import Call

BLOCK = wire.encode_thrift_headers({"a": "b"})


def call(scheme, arg2):
    return Call(
        service="keeper",
        endpoint="get",
        scheme=scheme,
        arg2=arg2,
        arg3=b"",
        headers={"as": scheme},
        channel=None,
        outgoing=True,
        timeout=1.0,
        tracing=None,
    )


@pytest.mark.parametrize(
    ("scheme", "arg2", "headers"),
    [
        ("json", b'{"a":"b"}', {"a": "b"}),
        ("json", b"null", {}),
        ("json", b"", {}),
        ("json", b"[1]", None),
        ("json", b"{", None),
        ("json", b"[" * 100_000, None),
        ("json", b'{"a":"\xff"}', {"a": "\udcff"}),
        ("thrift", BLOCK, {"a": "b"}),
        ("thrift", b"", {}),
        ("thrift", b"\0\1", None),
        ("proto", BLOCK, {"a": "b"}),
        ("raw", BLOCK, {"a": "b"}),
        ("raw", b"", {}),
        ("raw", b"my own bytes", None),
    ],
)
def test_headers_are_read_by_their_names(scheme, arg2, headers):
    assert call(scheme, arg2).application_headers == headers


@pytest.mark.parametrize("scheme", ["json", "thrift", "proto", "raw"])
def test_what_is_set_is_what_is_read(scheme):
    one = call(scheme, b"")

    one.application_headers = {"k": "v", "ü": "\udcff"}

    assert one.application_headers == {"k": "v", "ü": "\udcff"}


def test_a_change_of_what_was_read_is_refused_since_it_would_be_lost():
    one = call("json", b'{"a":"b"}')

    with pytest.raises(TypeError, match="item assignment"):
        one.application_headers["c"] = "d"


@pytest.mark.parametrize("scheme", ["json", "thrift", "raw"])
@pytest.mark.parametrize("headers", [{"a": 1}, {1: "a"}, [("a", "b")]])
def test_what_is_no_mapping_of_strings_is_refused_and_changes_nothing(scheme, headers):
    one = call(scheme, b"")

    with pytest.raises(TypeError, match="str"):
        one.application_headers = headers
    assert one.arg2 == b""


@pytest.mark.parametrize(("scheme", "arg2"), [("raw", b"my own bytes"), ("json", b"{")])
def test_headers_without_names_are_not_overwritten(scheme, arg2):
    one = call(scheme, arg2)

    with pytest.raises(ValueError, match=f"this {scheme} call have no names: set arg2"):
        one.application_headers = {"a": "b"}
    assert one.arg2 == arg2


async def test_an_interceptor_adds_a_header_that_the_handler_gets(joined):
    def add(call, proceed):
        call.application_headers = {**call.application_headers, "added": "here"}
        return proceed(call)

    joined.client.interceptors.outgoing.append(add)
    joined.server.json.register("get", lambda request: request.headers)

    response = await joined.client.json("server", "get", None, {"a": "b"}, hostport=joined.hostport)

    assert response.body == {"a": "b", "added": "here"}
