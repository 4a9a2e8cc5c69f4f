"""Tracing: 25 bytes, and how spans descend from each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchannel_wire import NO_TRACING, Tracing

IDS = st.integers(0, 2**64 - 1)


def test_bytes_of_a_span_both_ways():
    data = bytes.fromhex(
        "0000000000000001"  # span
        "0000000000000002"  # parent
        "0000000000000003"  # trace
        "01"  # flags
    )

    assert data == Tracing(1, 2, 3, 1).pack()
    assert Tracing(1, 2, 3, 1) == Tracing.unpack(data)


@given(IDS, IDS, IDS, st.integers(0, 255))
def test_packing_and_unpacking_gives_the_same_span(span, parent, trace, flags):
    tracing = Tracing(span, parent, trace, flags)

    assert tracing == Tracing.unpack(tracing.pack())
    assert hash(tracing) == hash(Tracing.unpack(tracing.pack()))


@pytest.mark.parametrize("size", [0, 24, 26])
def test_other_sizes_than_25_bytes_are_refused(size):
    with pytest.raises(ValueError, match=f"not {size}"):
        Tracing.unpack(bytes(size))


@pytest.mark.parametrize("fields", [(-1, 0, 0, 0), (0, 2**64, 0, 0), (0, 0, 0, 256)])
def test_fields_that_do_not_fit_are_refused(fields):
    with pytest.raises(ValueError, match="unsigned"):
        Tracing(*fields).pack()


def test_first_span_of_a_trace_has_no_parent_and_the_trace_s_own_id():
    first = Tracing.new(traced=True)

    assert first.parent_id == 0
    assert first.span_id == first.trace_id != 0
    assert first.traced
    assert not Tracing.new().traced


def test_child_belongs_to_the_same_trace_and_names_its_parent():
    parent = Tracing.new(traced=True)
    child = parent.child()

    assert (child.parent_id, child.trace_id) == (parent.span_id, parent.trace_id)
    assert child.span_id != parent.span_id
    assert child.traced


def test_no_tracing_is_all_zero():
    assert Tracing() == Tracing.unpack(NO_TRACING)
    assert Tracing() != "something else"


def test_repr_shows_the_ids_in_hex():
    assert "trace_id=0xff" in repr(Tracing(1, 2, 255))
