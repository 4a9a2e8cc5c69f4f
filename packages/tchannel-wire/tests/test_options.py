"""Options: defaults, and limits that make no sense."""

import pytest

from tchannel_wire import Options


def test_defaults():
    options = Options()

    assert options.max_message_size == 64 * 1024 * 1024
    assert options.max_frames_per_message == 65536
    assert options.reassembly_memory == 128 * 1024 * 1024
    assert options.max_headers == 128
    assert options.max_arg1 == 16 * 1024
    assert options.handshake_timeout == 5.0
    assert options.tombstone_margin == 0.5
    assert options.tombstone_limit == 5.0
    assert "max_arg1=16384" in repr(options)


LIMITS = [name for name in Options.__slots__ if name.startswith(("max_", "reassembly"))]
SECONDS = ["handshake_timeout", "tombstone_margin", "tombstone_limit"]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [0, -1])
def test_limit_must_be_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} must be .*not {value}"):
        Options(**{name: value})
    assert getattr(Options(**{name: 1}), name) == 1


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [1.5, "1", True, None])
def test_limit_must_be_an_int(name, value):
    with pytest.raises(TypeError, match=name):
        Options(**{name: value})


@pytest.mark.parametrize(
    ("name", "most"),
    [("max_headers", 128), ("max_header_key_length", 255), ("max_arg1", 65535)],
)
def test_limit_may_not_exceed_what_the_protocol_can_express(name, most):
    assert getattr(Options(**{name: most}), name) == most
    with pytest.raises(ValueError, match=f"{name} must be 1 to {most}"):
        Options(**{name: most + 1})


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_times_must_be_finite_numbers_of_seconds(name, value):
    with pytest.raises(ValueError, match=name):
        Options(**{name: value})
    with pytest.raises(TypeError, match=name):
        Options(**{name: "5"})
    assert getattr(Options(**{name: 3}), name) == 3.0
