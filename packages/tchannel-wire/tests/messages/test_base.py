"""What all messages share: comparison, tracing, and a repr that stays short."""

import pytest

from tchannel_wire import (
    NO_MESSAGE_ID,
    NO_TRACING,
    CallRequestContinue,
    Claim,
    ErrorMessage,
    PingRequest,
    PingResponse,
    Tracing,
)


def test_tracing_must_be_25_bytes():
    with pytest.raises(ValueError, match="tracing must be 25 bytes, not 3"):
        Claim(id=1, ttl_ms=1, tracing=b"abc")
    assert Claim(id=1, ttl_ms=1, tracing=Tracing(1, 2, 3, 1)).tracing == Tracing(1, 2, 3, 1).pack()


def test_repr_elides_what_is_long():
    shown = repr(CallRequestContinue(id=1, chunks=[b"x" * 9999] * 9))
    text = repr(ErrorMessage(id=NO_MESSAGE_ID, code=5, description="y" * 9999))

    assert "(9999 bytes), ...]" in shown
    assert "(9999 characters)" in text
    assert len(shown) < 500
    assert len(text) < 500
    assert str(ErrorMessage(id=1, code=3, description="tired")) == "busy: tired"
    assert "tracing=none" in repr(Claim(id=1, ttl_ms=1, tracing=NO_TRACING))


def test_messages_of_different_classes_are_not_equal():
    assert PingRequest(id=1) != PingResponse(id=1)
    assert PingRequest(id=1) != PingRequest(id=2)
    assert PingRequest(id=1) != 1
