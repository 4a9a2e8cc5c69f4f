"""Answers as bytes: written and read again, without a channel."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tchannel.errors import ReadError
from tchannel_wire import encode_thrift_headers
from tchannel_yarpc import Code, InternalError, NotFoundError, UnknownError
from tchannel_yarpc.answers import encode_answer_headers, encode_error, error_in, read_headers
from tchannel_yarpc.errors import error_of

TEXT = st.text(max_size=40)
NAMES = TEXT.map(str.lower).filter(lambda name: not name.startswith("$rpc$"))
ENCODINGS = st.sampled_from(["raw", "json", "proto"])


@settings(deadline=None)
@given(
    ENCODINGS,
    st.sampled_from(Code),
    TEXT,
    st.none() | TEXT.filter(bool),
    st.none() | TEXT,
    st.dictionaries(NAMES, TEXT, max_size=4),
    st.binary(max_size=20),
)
def test_an_error_survives_the_way_to_the_caller(
    encoding, code, message, name, details, headers, body
):
    sent = error_of(code, message, name=name, details=details, headers=headers, body=body)

    status, arg2, arg3 = encode_error(encoding, "service", sent, bytes)
    got = error_in(read_headers(encoding, arg2, "service"), arg3, bytes)

    assert status == 1
    assert (type(got), got.message, got.name, got.details) == (type(sent), message, name, details)
    assert got.headers == {key.lower(): value for key, value in headers.items()}
    assert got.body == (body or None)


@settings(deadline=None)
@given(st.sampled_from(["raw", "json"]), st.binary(max_size=200), st.binary(max_size=20))
def test_an_answer_of_any_bytes_is_read_or_is_a_read_error(encoding, arg2, arg3):
    try:
        headers = read_headers(encoding, arg2, "service")
    except (ReadError, InternalError):
        return
    error_in(headers, arg3, bytes)


def test_an_answer_names_its_service_among_the_handlers_headers():
    assert encode_answer_headers("json", "s", {"B": "2", "a": "1"}) == (
        b'{"$rpc$-service":"s","a":"1","b":"2"}\n'
    )
    assert encode_answer_headers("raw", "s", None) == b"\0\1\0\x0d$rpc$-service\0\1s"


def test_the_name_of_the_details_type_is_the_name_where_there_is_no_other():
    arg2 = encode_thrift_headers(
        {"$rpc$-error-code": "not-found", "$rpc$-application-error-name": "Reason"}
    )

    assert error_in(read_headers("proto", arg2, "s"), b"", bytes).name == "Reason"


def test_a_long_message_is_cut_on_a_character():
    _, arg2, _ = encode_error("raw", "s", NotFoundError("é" * 40_000), bytes)
    message = error_in(read_headers("raw", arg2, "s"), b"", bytes).message

    assert message == "é" * (0xFFFF // 2)


@pytest.mark.parametrize("details", [["d"], 3])
def test_details_that_are_no_text_need_an_encoding_of_messages(details):
    with pytest.raises(TypeError, match="must be text"):
        encode_error("raw", "s", UnknownError(details=details), bytes)
