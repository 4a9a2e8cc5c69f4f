from __future__ import annotations

import pytest

from tchannel_thrift.rw.idl.literals import MAX_DIGITS, BadLiteralError, integer, string


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "0", 0),
        ("integer", "42", 42),
        ("integer", "+42", 42),
        ("integer", "-42", -42),
        ("integer", "0042", 42),
        ("integer", "9223372036854775808", 2**63),
        ("hexadecimal", "0x1f", 31),
        ("hexadecimal", "0xFF", 255),
        ("hexadecimal", "-0x10", -16),
        ("hexadecimal", "+0x10", 16),
    ],
)
def test_integers(kind, text, value):
    assert integer(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "0" * 100_000 + "7", 7),
        ("integer", "-" + "0" * 100_000 + "7", -7),
        ("integer", "0" * 100_000, 0),
        ("hexadecimal", "-0x" + "0" * 100_000 + "f", -15),
        ("integer", "9" * MAX_DIGITS, 10**MAX_DIGITS - 1),
    ],
)
def test_leading_zeros_do_not_count_as_digits(kind, text, value):
    assert integer(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "1" * (MAX_DIGITS + 1)),
        ("integer", "-" + "1" * (MAX_DIGITS + 1)),
        ("integer", "9" * 1_000_000),
        ("hexadecimal", "0x" + "f" * (MAX_DIGITS + 1)),
    ],
)
def test_an_integer_of_too_many_digits_is_refused(kind, text):
    with pytest.raises(BadLiteralError, match=r"Integer of \d+ digits"):
        integer(kind, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("''", ""),
        ('"abc"', "abc"),
        (r'"\t\r\n\\\'\""', "\t\r\n\\'\""),
        (r"'\\n'", "\\n"),
        ("'ü\U0001f600'", "ü\U0001f600"),
    ],
)
def test_strings(text, value):
    assert string(text) == value


@pytest.mark.parametrize("char", ["q", "0", "x", "u", "a", " ", "ü"])
def test_an_unknown_escape_is_refused_at_its_place(char):
    with pytest.raises(BadLiteralError, match=f"Cannot escape character: {char}") as caught:
        string(f"'ab\\{char}c'")
    assert caught.value.offset == 3
