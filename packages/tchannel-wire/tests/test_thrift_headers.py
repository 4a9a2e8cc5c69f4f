"""Application headers of the Thrift scheme."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchannel_wire import (
    ErrorCode,
    ProtocolError,
    decode_thrift_headers,
    encode_thrift_headers,
    thrift_header_pairs,
)

BLOCK = (
    b"\x00\x02"  # nh:2
    b"\x00\x01a\x00\x02bc"  # k~2 v~2
    b"\x00\x02\xc3\xa9\x00\x00"
)


def test_block_both_ways():
    assert encode_thrift_headers({"a": "bc", "é": ""}) == BLOCK
    assert decode_thrift_headers(BLOCK) == {"a": "bc", "é": ""}


def test_block_that_is_cut_off_anywhere_is_a_bad_request():
    for end in range(1, len(BLOCK)):
        with pytest.raises(ProtocolError, match="cut off") as caught:
            decode_thrift_headers(BLOCK[:end])
        assert caught.value.code == ErrorCode.BAD_REQUEST


def test_empty_arg2_has_no_headers():
    assert decode_thrift_headers(b"") == decode_thrift_headers(b"\0\0") == {}


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=300), max_size=20))
def test_headers_survive_the_way_there_and_back(headers):
    assert headers == decode_thrift_headers(encode_thrift_headers(headers))


def test_bytes_behind_the_last_header_are_refused():
    with pytest.raises(ProtocolError, match="3 bytes follow"):
        decode_thrift_headers(BLOCK + b"abc")


def test_what_is_not_utf8_comes_as_surrogates_and_goes_on_as_the_same_bytes():
    block = b"\0\1\0\1\xff\0\3a\xfeb"

    assert decode_thrift_headers(block) == {"\udcff": "a\udcfeb"}
    assert encode_thrift_headers({"\udcff": "a\udcfeb"}) == block


@given(st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=300)), max_size=20))
def test_byte_strings_of_any_kind_survive_being_read_and_written(pairs):
    block = len(pairs).to_bytes(2, "big") + b"".join(
        len(text).to_bytes(2, "big") + text for pair in pairs for text in pair
    )

    assert encode_thrift_headers(thrift_header_pairs(block)) == block


def test_surrogates_that_stand_for_no_byte_are_a_value_error():
    with pytest.raises(ValueError, match="surrogate"):
        encode_thrift_headers({"k": "\ud800"})


def test_last_value_counts_of_a_key_given_twice():
    block = encode_thrift_headers([("a", "1"), ("a", "2")])

    assert decode_thrift_headers(block) == {"a": "2"}
    assert thrift_header_pairs(block) == [("a", "1"), ("a", "2")]


def test_longest_value_fits_and_one_byte_more_does_not():
    assert encode_thrift_headers({"k": "v" * 65535})

    with pytest.raises(ValueError, match="'k' has a value of 65536 bytes"):
        encode_thrift_headers({"k": "v" * 65536})
    with pytest.raises(ValueError, match="has a key of 65536 bytes"):
        encode_thrift_headers({"k" * 65536: ""})


def test_values_must_be_str():
    with pytest.raises(TypeError, match="'k'"):
        encode_thrift_headers({"k": b"v"})


def test_too_many_headers_are_refused():
    with pytest.raises(ValueError, match="65535, not 65536"):
        encode_thrift_headers([("k", "")] * 65536)
