"""Transport headers: bytes both ways, and what may not be written or read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tchannel_wire
from tchannel_wire import (
    ErrorCode,
    Options,
    ProtocolError,
    caches,
    decode_headers,
    encode_headers,
)
from tchannel_wire import (
    headers as headers_module,
)

TABLE = [
    (b"\x00", {}),
    (
        (
            b"\x02"  # nh:1
            b"\x02as\x03raw"  # hk~1 hv~1
            b"\x02cn\x00"  # an empty value
        ),
        {"as": "raw", "cn": ""},
    ),
    (b"\x01\x02sk\x02\xc3\xa9", {"sk": "é"}),
]

TEXT = st.text(max_size=20)


@pytest.mark.parametrize(("block", "headers"), TABLE)
def test_block_both_ways(block, headers):
    assert block == encode_headers(headers)
    assert headers == decode_headers(block)


@pytest.mark.parametrize("block", [block for block, _ in TABLE if len(block) > 1])
def test_block_that_is_cut_off_anywhere_is_a_bad_request(block):
    for end in range(len(block)):
        with pytest.raises(ProtocolError, match="cut off") as caught:
            decode_headers(block[:end])
        assert caught.value.code == ErrorCode.BAD_REQUEST


@given(st.dictionaries(st.text(min_size=1, max_size=3), TEXT, max_size=20))
def test_headers_survive_the_way_there_and_back(headers):
    assert headers == decode_headers(encode_headers(headers))


def test_pairs_keep_their_order():
    assert encode_headers([("cn", "b"), ("as", "a")]) == b"\x02\x02cn\x01b\x02as\x01a"


def test_keys_are_written_up_to_15_bytes_because_node_resets_at_16():
    assert encode_headers({"k" * 15: "v"})

    with pytest.raises(ValueError, match=r"'k{16}' must be 1 to 15 bytes, not 16"):
        encode_headers({"k" * 16: "v"})


def test_keys_are_read_of_any_length():
    assert decode_headers(b"\x01\xff" + b"k" * 255 + b"\x01v") == {"k" * 255: "v"}
    assert decode_headers(b"\x01\x00\x01v") == {"": "v"}


def test_empty_key_is_not_written():
    with pytest.raises(ValueError, match="'' must be 1 to 15"):
        encode_headers({"": "v"})


def test_values_are_written_up_to_255_bytes():
    assert len(encode_headers({"k": "v" * 255})) == 1 + 2 + 1 + 255

    with pytest.raises(ValueError, match=r"'k' .* at most 255 bytes, not 256"):
        encode_headers({"k": "é" * 128})


def test_128_headers_are_written_and_read_and_129_are_not():
    most = {f"k{i}": "" for i in range(128)}

    assert most == decode_headers(encode_headers(most))

    with pytest.raises(ValueError, match="at most 128, not 129"):
        encode_headers(most | {"one more": ""})
    with pytest.raises(ProtocolError, match="129 transport headers, at most 128"):
        decode_headers(b"\x81" + encode_headers(most)[1:] + b"\x01z\x00")


def test_key_given_twice_is_neither_written_nor_read():
    with pytest.raises(ValueError, match="'as' is given twice"):
        encode_headers([("as", "a"), ("as", "b")])
    with pytest.raises(ProtocolError, match="'as' is given twice"):
        decode_headers(b"\x02\x02as\x01a\x02as\x01b")


@pytest.mark.parametrize("headers", [{"as": 1}, {b"as": "raw"}, {"as": None}])
def test_keys_and_values_must_be_str(headers):
    with pytest.raises(TypeError, match="as"):
        encode_headers(headers)


@pytest.mark.parametrize("block", [b"\x01\x01\xff\x01v", b"\x01\x01k\x01\xff"])
def test_what_is_not_utf8_is_a_bad_request(block):
    with pytest.raises(ProtocolError, match="UTF-8") as caught:
        decode_headers(block)
    assert caught.value.code == ErrorCode.BAD_REQUEST


def test_bytes_behind_the_block_are_refused():
    with pytest.raises(ProtocolError, match="cut off"):
        decode_headers(b"\x00extra")


def test_repeated_blocks_are_decoded_once():
    block = encode_headers({"as": "raw", "cn": "cache"})

    assert decode_headers(block) is decode_headers(bytes(bytearray(block)))


def test_cache_stays_small_whatever_peers_send():
    for number in range(3 * caches.MAX_ENTRIES):
        decode_headers(encode_headers({"sk": str(number)}))

    assert len(headers_module._cache) <= caches.MAX_ENTRIES


@pytest.mark.parametrize(
    ("limit", "headers", "name"),
    [
        ({"max_headers": 2}, {"a": "", "b": ""}, "transport headers"),
        ({"max_header_key_length": 2}, {"ab": ""}, "abc"),
        ({"max_header_value_length": 2}, {"a": "éx"[:1]}, "value"),
    ],
)
def test_limits_hold_at_the_limit_and_break_just_beyond(limit, headers, name):
    beyond = {"max_headers": {"c": ""}, "max_header_key_length": {"abc": ""}}
    options = Options(**limit)

    headers_module.check_header_limits(headers, options)
    with pytest.raises(ProtocolError) as caught:
        headers_module.check_header_limits(
            headers | beyond.get(next(iter(limit)), {"v": "abc"}), options
        )
    assert name in str(caught.value)
    assert caught.value.code == ErrorCode.BAD_REQUEST


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ARG_SCHEME", "as"),
        ("CALLER_NAME", "cn"),
        ("CLAIM_AT_FINISH", "caf"),
        ("CLAIM_AT_START", "cas"),
        ("FAILURE_DOMAIN", "fd"),
        ("RETRY_FLAGS", "re"),
        ("ROUTING_DELEGATE", "rd"),
        ("ROUTING_KEY", "rk"),
        ("SHARD_KEY", "sk"),
        ("SPECULATIVE_EXECUTION", "se"),
    ],
)
def test_keys_have_the_names_that_the_protocol_gives_them(name, key):
    assert getattr(tchannel_wire, name) == key
