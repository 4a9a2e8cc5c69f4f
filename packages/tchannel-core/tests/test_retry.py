"""The values of retry_on, which are those of the wire."""

from tchannel import retry


def test_values_are_the_retry_flags_of_the_protocol() -> None:
    assert (
        retry.CONNECTION_ERROR,
        retry.NEVER,
        retry.TIMEOUT,
        retry.CONNECTION_ERROR_AND_TIMEOUT,
    ) == ("c", "n", "t", "ct")


def test_the_default_is_connection_errors_and_four_more_attempts() -> None:
    assert retry.DEFAULT == retry.CONNECTION_ERROR
    assert retry.DEFAULT_RETRY_LIMIT == 4
