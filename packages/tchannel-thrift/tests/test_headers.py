"""Application headers of Thrift calls."""

import pytest

import tchannel_wire as wire
from tchannel_thrift.headers import NO_HEADERS, encode_headers


@pytest.mark.parametrize("headers", [{"a": "b"}, {"é": "", "": "ü"}, {"k": "v" * 65_535}])
def test_headers_come_back(headers):
    assert wire.decode_thrift_headers(encode_headers(headers)) == headers


@pytest.mark.parametrize("headers", [None, {}])
def test_no_headers_are_a_count_of_zero(headers):
    assert encode_headers(headers) == NO_HEADERS == b"\0\0"
    assert wire.decode_thrift_headers(NO_HEADERS) == {}


@pytest.mark.parametrize(
    "headers", [[], "", ["a"], "ab", 5, [("a", "b")], {"a": 1}, {b"a": "b"}, {"a": None}]
)
def test_what_is_no_mapping_of_str_to_str_is_a_value_error(headers):
    with pytest.raises(ValueError, match="headers must be"):
        encode_headers(headers)


def test_a_header_that_is_too_long_is_a_value_error():
    with pytest.raises(ValueError, match="'k'"):
        encode_headers({"k": "v" * 65_536})
