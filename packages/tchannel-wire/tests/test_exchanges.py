"""What is checked before a call, once per endpoint."""

import pytest

from tchannel_wire import ChecksumType, prepare_call

HEADERS = {"as": "raw", "cn": "me"}


def test_prepared_call_shows_what_it_was_made_of():
    call = prepare_call("svc", HEADERS, b"echo")

    assert (call.service, call.headers, call.arg1) == ("svc", HEADERS, b"echo")
    assert call.checksum_type is ChecksumType.CRC32C
    assert repr(call) == (
        "PreparedCall(service='svc', arg1=b'echo', headers={'as': 'raw', 'cn': 'me'}, "
        "checksum_type=CRC32C)"
    )


def test_headers_may_be_pairs_and_keep_their_order(pair, decode_all):
    pair.call(prepared=prepare_call("svc", [("cn", "me"), ("as", "raw")], b""))
    (message,) = decode_all(pair.client.data_to_send())

    assert list(message.headers) == ["cn", "as"]


@pytest.mark.parametrize(
    ("service", "headers", "arg1", "checksum_type", "error", "text"),
    [
        ("", HEADERS, b"", 3, ValueError, "service must be 1 to 255 bytes, not 0"),
        ("é" * 128, HEADERS, b"", 3, ValueError, "service must be 1 to 255 bytes, not 256"),
        (b"svc", HEADERS, b"", 3, TypeError, "service must be a str"),
        ("svc", {"cn": "me"}, b"", 3, ValueError, "headers must have 'as'"),
        ("svc", {"as": "raw"}, b"", 3, ValueError, "headers must have 'cn'"),
        ("svc", HEADERS | {"k" * 16: ""}, b"", 3, ValueError, "k{16}"),
        ("svc", [*HEADERS.items(), ("as", "x")], b"", 3, ValueError, "'as' is given twice"),
        ("svc", HEADERS, "echo", 3, TypeError, "arg1 must be bytes"),
        ("svc", HEADERS, bytes(16385), 3, ValueError, "arg1 must be at most 16384 bytes"),
        ("svc", HEADERS, b"", 2, ValueError, "checksum_type"),
        ("svc", HEADERS, b"", 4, ValueError, "checksum_type"),
    ],
)
def test_mistakes_are_refused_by_name(service, headers, arg1, checksum_type, error, text):
    with pytest.raises(error, match=text):
        prepare_call(service, headers, arg1, checksum_type)


def test_longest_names_pass():
    headers = HEADERS | {"k" * 15: "v" * 255}

    assert prepare_call("s" * 255, headers, bytes(16384)).service == "s" * 255
