"""Farmhash: the values of the reference implementation, at every boundary of its cases."""

import pytest

from tchannel_wire.farmhash import fingerprint32, fingerprint32_with_seed


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, 3696677242),
        (1, 3232311124),
        (4, 2395060031),
        (5, 70145832),
        (12, 2102249160),
        (13, 4158853188),
        (24, 3982376272),
        (25, 3903760797),
        (40, 2936280771),
        (41, 1781024155),
        (100, 2896157485),
        (1000, 734863817),
    ],
)
def test_fingerprint_of_a_pattern_of_each_length_is_that_of_the_reference(length, expected):
    data = bytes(i * 7 % 256 for i in range(length))

    assert expected == fingerprint32(data)


def test_fingerprint_that_tchannel_node_expects_for_its_last_arg():
    assert fingerprint32(b"b") == 3929541322


@pytest.mark.parametrize("length", [0, 3, 8, 20, 64])
def test_seed_of_nothing_is_the_plain_fingerprint(length):
    data = bytes(range(length))

    assert fingerprint32(data) == fingerprint32_with_seed(data, 0)


@pytest.mark.parametrize("length", [0, 3, 8, 20, 64])
def test_seed_changes_the_fingerprint_of_every_length(length):
    data = bytes(range(length))

    values = {fingerprint32_with_seed(data, seed) for seed in (0, 1, 0xFFFFFFFF)}

    assert len(values) == 3
    assert all(0 <= value <= 0xFFFFFFFF for value in values)
