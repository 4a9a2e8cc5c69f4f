"""What is left of the tracing names of tchannel-python."""

from tchannel import tracing


def test_the_prefix_is_the_one_that_tchannel_python_writes() -> None:
    assert tracing.TRACING_KEY_PREFIX == "$tracing$"
