"""Bytes out of lines of hex digits and out of the dumps of common tools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchannel_wire.hex_text import HexText


def read(text):
    hex_text = HexText()
    return b"".join(hex_text.read_line(line) for line in text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "0010d0ff",
        "0010D0FF",
        " 00 10\td0 ff ",
        "0010 d0ff",
        "00:10:d0:ff",
        "0x00, 0x10, 0xd0, 0xff,",
        "0x0010d0ff",
        r"\x00\x10\xd0\xff",
        "\ufeff00 10\r\nd0 ff\r\n",
        "# a ping: beef\n\n00 10  # its size\n\nd0 ff",
    ],
)
def test_digits_may_be_written_as_people_do(text):
    assert read(text) == b"\x00\x10\xd0\xff"


DATA = bytes(range(37)) + b" ab cd ef"


def shown(data):
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


def xxd(at, row):
    return f"{at:08x}: {row.hex(' ', -2):<39}  {shown(row)}"


def tcpdump(at, row):
    return f"\t0x{at:04x}:  {row.hex(' ', -2):<39}  {shown(row)}"


def hexdump(at, row):
    return f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{shown(row)}|"


def tshark(at, row):
    return f"{at:04x}  {row.hex(' '):<47}   {shown(row)}"


DUMPS = [xxd, tcpdump, hexdump, tshark]


def dump(line_of, data):
    return [line_of(at, data[at : at + 16]) for at in range(0, len(data), 16)]


@pytest.mark.parametrize("line_of", DUMPS)
def test_dumps_of_common_tools_are_read(line_of):
    assert read("\n".join(dump(line_of, DATA))) == DATA


@pytest.mark.parametrize("line_of", DUMPS)
def test_two_dumps_may_follow_each_other(line_of):
    assert read(
        "\n".join(["# first", *dump(line_of, DATA), "# second", *dump(line_of, b"abc")])
    ) == (DATA + b"abc")


def test_last_line_of_a_dump_may_be_its_length():
    assert read("\n".join([*dump(hexdump, DATA), f"{len(DATA):08x}"])) == DATA


@pytest.mark.parametrize("line_of", DUMPS)
def test_line_that_is_missing_from_a_dump_is_told(line_of):
    lines = dump(line_of, DATA)
    del lines[1]

    with pytest.raises(ValueError, match="begins at 0x20, and 0x10 bytes precede it"):
        read("\n".join(lines))


def test_lines_that_a_dump_leaves_out_are_told():
    with pytest.raises(ValueError, match="hexdump -v"):
        read("\n".join([hexdump(0, bytes(16)), "*", "00000040"]))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("abc", "must come in pairs, got 'abc'"),
        ("0 1", "must come in pairs, got '0 1'"),
        ("00 1g", "expected hex digits, got '00 1g'"),
        ("*", "expected hex digits"),
        ("é" * 99, "é'...$"),
        ("00000000: 001", "must come in pairs"),
    ],
)
def test_line_that_is_no_hex_is_quoted(line, text):
    with pytest.raises(ValueError, match=text) as caught:
        read(line)
    assert len(str(caught.value)) < 120


@given(st.text(max_size=60))
def test_any_line_gives_bytes_or_a_value_error(line):
    try:
        data = HexText().read_line(line)
    except ValueError:
        return
    assert isinstance(data, bytes)


@given(st.binary(max_size=70), st.sampled_from(DUMPS[:3]))
def test_any_bytes_survive_a_dump(data, line_of):
    assert read("\n".join(dump(line_of, data))) == data
