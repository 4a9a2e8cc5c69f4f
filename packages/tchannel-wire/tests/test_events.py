"""Events: plain objects that compare by value and print well."""

import pytest

from tchannel_wire import (
    ChecksumType,
    ConnectionClosed,
    PongReceived,
    RequestChunk,
    RequestExpired,
    RequestReceived,
    events,
)

CLASSES = [getattr(events, name) for name in events.__all__ if name != "Event"]


@pytest.mark.parametrize("cls", CLASSES)
def test_events_are_slotted_and_documented(cls):
    instance = cls(*range(len(cls.__slots__)))

    assert not hasattr(instance, "__dict__")
    assert [getattr(instance, name) for name in cls.__slots__] == list(range(len(cls.__slots__)))
    for name in cls.__slots__:
        assert f"{name}:" in cls.__doc__ or f"{name}`" in cls.__doc__


def test_events_compare_by_class_and_value():
    assert PongReceived(1) == PongReceived(1)
    assert PongReceived(1) != PongReceived(2)
    assert PongReceived(1) != RequestExpired(1)
    assert ConnectionClosed(None, [], [1]) == ConnectionClosed(None, [], [1])


def test_repr_elides_bytes():
    event = RequestReceived(
        1, 0, 5, 0.5, bytes(25), "s", {}, ChecksumType.NONE, b"a", b"", b"x" * 9999, False
    )

    assert "arg1=b'a'" in repr(event)
    assert "(9999 bytes)" in repr(event)
    assert len(repr(event)) < 400
    assert repr(RequestChunk(1, b"ab", True)) == "RequestChunk(id=1, data=b'ab', last=True)"
