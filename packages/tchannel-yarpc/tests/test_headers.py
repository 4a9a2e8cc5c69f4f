"""Application headers: blocks of bytes both ways, names without case, and hostile ones."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tchannel_wire import ProtocolError
from tchannel_yarpc import Headers
from tchannel_yarpc.headers import (
    RESERVED,
    ReservedHeaderError,
    check_headers,
    decode_headers,
    encode_headers,
    refuse_reserved,
    take_reserved,
)

# Encoding, headers, arg2.
BLOCKS = [
    ("raw", {}, b"\x00\x00"),
    ("proto", {}, b"\x00\x00"),
    ("thrift", {}, b"\x00\x00"),
    ("json", {}, b"{}\n"),
    (
        "raw",
        {"token-one": "Alpha", "second": "bé"},
        (
            b"\x00\x02"  # nh:2
            b"\x00\x09token-one\x00\x05Alpha"  # k~2 v~2
            b"\x00\x06second\x00\x03b\xc3\xa9"
        ),
    ),
    (
        "json",
        {"token-one": "Alpha", "second": "bé"},
        b'{"second":"b\xc3\xa9","token-one":"Alpha"}\n',
    ),
    ("raw", {"": ""}, b"\x00\x01\x00\x00\x00\x00"),
    ("raw", {"k": "\udcff"}, b"\x00\x01\x00\x01k\x00\x01\xff"),
]

TEXT = st.text(max_size=40)
ENCODINGS = st.sampled_from(["raw", "json", "thrift", "proto"])


@pytest.mark.parametrize(("encoding", "headers", "arg2"), BLOCKS)
def test_blocks_both_ways(encoding, headers, arg2):
    assert encode_headers(encoding, Headers(headers)) == arg2
    assert decode_headers(encoding, arg2) == headers


@settings(deadline=None)
@given(ENCODINGS, st.dictionaries(TEXT, TEXT, max_size=10))
def test_headers_survive_the_way_there_and_back(encoding, headers):
    sent = Headers(headers)

    assert decode_headers(encoding, encode_headers(encoding, sent)) == sent


@settings(deadline=None)
@given(ENCODINGS, st.binary(max_size=200))
def test_bytes_of_any_kind_are_headers_or_a_bad_request(encoding, arg2):
    try:
        headers = decode_headers(encoding, arg2)
    except (ProtocolError, ValueError):
        return
    assert all(isinstance(value, str) for value in headers.values())


def test_a_block_that_is_cut_off_anywhere_is_a_bad_request():
    _, _, arg2 = BLOCKS[4]
    for end in range(1, len(arg2)):
        with pytest.raises(ProtocolError, match="cut off"):
            decode_headers("raw", arg2[:end])


@pytest.mark.parametrize(
    ("arg2", "text"),
    [
        (b"\xff\xff", "cut off"),  # a count of 65,535 and nothing behind it
        (b"\x00\x01\xff\xff" + b"k" * 10, "cut off"),  # a length beyond the end
        (b"\x00\x00x", "1 bytes follow"),
        (b"\x00\x01\x00\x01k\x00\x01vmore", "4 bytes follow"),
    ],
)
def test_blocks_that_lie_are_bad_requests(arg2, text):
    with pytest.raises(ProtocolError, match=text):
        decode_headers("raw", arg2)


@pytest.mark.parametrize(
    "arg2",
    [
        b"[]",
        b'"a"',
        b"1",
        b'{"a":1}',
        b'{"a":null}',
        b'{"a":{}}',
        b'{"a":["b"]}',
        b"{",
        b"{}{}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
def test_json_that_is_no_object_of_strings_is_refused(arg2):
    with pytest.raises(ValueError, match=r".") as caught:
        decode_headers("json", arg2)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("arg2", [b"", b" ", b"null", b"{}", b"{}\n"])
def test_json_without_headers_has_many_forms(arg2):
    assert decode_headers("json", arg2) == {}


def test_an_empty_arg2_has_no_headers():
    assert decode_headers("raw", b"") == {}


def test_of_names_that_differ_in_case_alone_the_last_counts():
    pairs = [("Key", "1"), ("kEY", "2"), ("Key", "3"), ("other", "4")]
    block = len(pairs).to_bytes(2, "big") + b"".join(
        len(text).to_bytes(2, "big") + text.encode() for pair in pairs for text in pair
    )

    assert dict(decode_headers("raw", block)) == {"key": "3", "other": "4"}
    assert dict(decode_headers("json", b'{"Key":"1","kEY":"2","Key":"3"}')) == {"key": "3"}


def test_headers_are_found_without_case():
    headers = Headers({"Token-One": "a"})
    headers["SECOND"] = "b"

    assert headers["token-ONE"] == "a"
    assert "second" in headers
    assert "Second" in headers
    assert 1 not in headers
    assert list(headers) == ["token-one", "second"]
    assert headers == {"TOKEN-one": "a", "second": "b"}
    assert headers == Headers({"second": "b", "token-one": "a"})
    assert headers not in ({"second": "b"}, {1: "b"}, "a")
    del headers["Second"]
    assert headers.get("second") is None
    assert repr(headers) == "Headers({'token-one': 'a'})"


@pytest.mark.parametrize("headers", [["a"], "text", b"", {"a": 1}, {1: "a"}, {"a": None}])
def test_headers_that_are_not_str_to_str_are_refused(headers):
    with pytest.raises(ValueError, match="headers must be"):
        check_headers(headers)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_names_that_are_yarpcs_own_are_refused_in_any_case(name):
    with pytest.raises(ReservedHeaderError) as caught:
        refuse_reserved(Headers({name.upper(): "x"}))

    assert str(caught.value) == f"cannot use reserved header key: {name}"


def test_names_that_are_yarpcs_own_are_taken_out():
    headers = Headers({"$rpc$-service": "s", "a": "b", "$rpc$-other": "c"})

    assert take_reserved(headers) == {"$rpc$-service": "s"}
    assert headers == {"a": "b", "$rpc$-other": "c"}


@pytest.mark.parametrize("encoding", ["raw", "json"])
def test_surrogates_that_stand_for_no_byte_are_a_value_error(encoding):
    with pytest.raises(ValueError, match="surrogate"):
        encode_headers(encoding, {"k": "\ud800"})


def test_json_headers_are_json():
    text = encode_headers("json", {"b": 'quote " and \\', "a": "é\n"}).decode()

    assert json.loads(text) == {"a": "é\n", "b": 'quote " and \\'}
