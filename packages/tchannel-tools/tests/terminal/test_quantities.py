"""Numbers on the command line."""

import pytest

from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._terminal.quantities import count, duration, rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500", 0.5),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("0", 0.0),
        (".5 S", 0.5),
    ],
)
def test_a_time_is_milliseconds_or_has_a_unit(text, seconds):
    assert duration(text, "--timeout") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1d", "1e3", "nan", "1 2"])
def test_what_is_no_time_is_refused_by_the_name_of_its_option(text):
    with pytest.raises(ToolError, match="--timeout is a time like"):
        duration(text, "--timeout")


@pytest.mark.parametrize("text", ["0.2", ".5", "1."])
def test_a_time_of_less_than_a_millisecond_wants_its_unit(text):
    with pytest.raises(ToolError, match=f"--timeout {text} would be milliseconds: {text}s or"):
        duration(text, "--timeout")


def test_a_count_is_a_whole_number_from_1_on():
    assert count("12", "--requests") == 12
    for text in ("0", "-1", "1.5", "many", "²", ""):
        with pytest.raises(ToolError, match="--requests is a whole number"):
            count(text, "--requests")


def test_a_rate_is_a_number_above_0():
    assert rate("0.5", "--rate") == 0.5
    for text in ("0", "-1", "nan", "inf", "fast"):
        with pytest.raises(ToolError, match="--rate is a number above 0"):
            rate(text, "--rate")
