"""The two outcomes of a response."""

from tchannel import status


def test_values_are_those_of_the_protocol() -> None:
    assert (status.OK, status.FAILED) == (0, 1)
