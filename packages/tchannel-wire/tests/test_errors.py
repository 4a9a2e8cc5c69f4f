"""Errors: the tree, and what they say."""

import pytest

from tchannel_wire import (
    ErrorCode,
    LocalProtocolError,
    PeerError,
    ProtocolError,
    WireError,
    error_name,
)


def test_tree():
    for cls in (ProtocolError, PeerError, LocalProtocolError):
        assert cls.__bases__ == (WireError,)


def test_codes_of_the_protocol():
    assert {code.name: int(code) for code in ErrorCode} == {
        "TIMEOUT": 1,
        "CANCELLED": 2,
        "BUSY": 3,
        "DECLINED": 4,
        "UNEXPECTED": 5,
        "BAD_REQUEST": 6,
        "NETWORK": 7,
        "UNHEALTHY": 8,
        "FATAL": 255,
    }


@pytest.mark.parametrize(
    ("code", "name"), [(3, "busy"), (6, "bad request"), (0xFF, "fatal"), (0x42, "error 0x42")]
)
def test_codes_have_names_for_people(code, name):
    assert name == error_name(code)


def test_protocol_error_is_fatal_and_about_the_connection_unless_said_otherwise():
    error = ProtocolError("text")

    assert (error.code, error.message_id) == (ErrorCode.FATAL, 0xFFFFFFFF)
    assert str(error) == "text"
    assert str(ProtocolError("text", message_id=5)) == "text (message 5)"


def test_peer_error_says_what_the_peer_said():
    assert str(PeerError(ErrorCode.FATAL, "text")) == "fatal: text"
