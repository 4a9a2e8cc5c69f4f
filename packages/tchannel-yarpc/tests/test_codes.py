"""Codes, and the error frames they travel in."""

import pytest

from tchannel import errors
from tchannel_yarpc import Code
from tchannel_yarpc.codes import code_named, code_of_frame, frame_of_code

TO_FRAME = {
    Code.CANCELLED: 0x02,
    Code.UNKNOWN: 0x05,
    Code.INVALID_ARGUMENT: 0x06,
    Code.DEADLINE_EXCEEDED: 0x01,
    Code.NOT_FOUND: 0x05,
    Code.ALREADY_EXISTS: 0x05,
    Code.PERMISSION_DENIED: 0x05,
    Code.RESOURCE_EXHAUSTED: 0x03,
    Code.FAILED_PRECONDITION: 0x05,
    Code.ABORTED: 0x05,
    Code.OUT_OF_RANGE: 0x05,
    Code.UNIMPLEMENTED: 0x06,
    Code.INTERNAL: 0x05,
    Code.UNAVAILABLE: 0x04,
    Code.DATA_LOSS: 0x05,  # YARPC writes 0xFF, on which tchannel-go closes the connection
    Code.UNAUTHENTICATED: 0x05,
}
FROM_FRAME = {
    0x01: Code.DEADLINE_EXCEEDED,
    0x02: Code.CANCELLED,
    0x03: Code.RESOURCE_EXHAUSTED,
    0x04: Code.UNAVAILABLE,
    0x05: Code.INTERNAL,
    0x06: Code.INVALID_ARGUMENT,
    0x07: Code.UNAVAILABLE,
    0x08: Code.INTERNAL,
    0xFF: Code.INTERNAL,
    0x42: Code.INTERNAL,
}


def test_the_codes_are_those_of_grpc():
    assert [code.text for code in Code] == [
        "cancelled",
        "unknown",
        "invalid-argument",
        "deadline-exceeded",
        "not-found",
        "already-exists",
        "permission-denied",
        "resource-exhausted",
        "failed-precondition",
        "aborted",
        "out-of-range",
        "unimplemented",
        "internal",
        "unavailable",
        "data-loss",
        "unauthenticated",
    ]
    assert [int(code) for code in Code] == list(range(1, 17))


def test_every_code_has_its_error_frame():
    assert {code: frame_of_code(code) for code in Code} == TO_FRAME


@pytest.mark.parametrize("frame", FROM_FRAME)
def test_every_error_frame_has_its_code(frame):
    assert code_of_frame(frame) == FROM_FRAME[frame]


def test_frames_of_both_tables_are_those_of_the_protocol():
    assert {*TO_FRAME.values(), 0x07, 0x08, 0xFF} == {
        errors.TIMEOUT,
        errors.CANCELED,
        errors.BUSY,
        errors.DECLINED,
        errors.UNEXPECTED_ERROR,
        errors.BAD_REQUEST,
        errors.NETWORK_ERROR,
        errors.UNHEALTHY,
        errors.FATAL,
    }


@pytest.mark.parametrize("text", ["not-found", "NOT_FOUND", "Not-Found"])
def test_a_code_is_found_by_its_text_without_case(text):
    assert code_named(text) is Code.NOT_FOUND


def test_a_text_that_is_no_code_is_none():
    assert code_named("teapot") is code_named("") is None
