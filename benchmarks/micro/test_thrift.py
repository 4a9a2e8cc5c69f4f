"""The Thrift codec: a small and a medium value, a thousand mediums, and making one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tchannel import thrift

THRIFT = Path(__file__).resolve().parent.parent / "thrift"
sys.path.insert(0, str(THRIFT))

from workloads import medium_arguments  # noqa: E402 - found by the line above

TYPES = thrift.load(THRIFT / "schema.thrift")


def value_of(kind):
    if kind == "small":
        return TYPES.Small(text="a string of some size")
    mediums = [TYPES.Medium(**medium_arguments(TYPES)) for _ in range(1000)]
    return mediums[0] if kind == "medium" else TYPES.Many(items=mediums)


@pytest.mark.parametrize("kind", ["small", "medium", "1000 mediums"])
def test_a_value_is_encoded(benchmark, kind):
    value = value_of(kind)

    assert TYPES.loads(type(value), benchmark(TYPES.dumps, value)) == value


@pytest.mark.parametrize("kind", ["small", "medium", "1000 mediums"])
def test_a_value_is_decoded(benchmark, kind):
    value = value_of(kind)

    assert benchmark(TYPES.loads, type(value), TYPES.dumps(value)) == value


def test_a_value_is_made(benchmark):
    arguments = medium_arguments(TYPES)

    assert benchmark(lambda: TYPES.Medium(**arguments)) == TYPES.Medium(**arguments)
