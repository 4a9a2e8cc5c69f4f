"""``python -m tchannel_wire decode``."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tchannel_wire as wire
from tchannel_wire.__main__ import main

FRAMES = [
    bytes.fromhex(entry["frame"])
    for entry in json.loads((Path(__file__).parent / "vectors/node-big.json").read_text())["frames"]
]
STREAM = b"".join(FRAMES)


@pytest.fixture
def decode(capsys, monkeypatch):
    """Runs the command; status, lines of output, and errors."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main(["decode", *arguments])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def check(result):
    status, lines, errors = result
    assert (status, errors) == (0, "")
    offsets = [int(line.split()[0], 16) for line in lines]
    assert offsets == [sum(map(len, FRAMES[:index])) for index in range(len(FRAMES))]
    for line, frame in zip(lines, FRAMES, strict=True):
        assert line.endswith(repr(wire.decode(frame)))


def test_raw_stream_in_a_file(decode, tmp_path):
    path = tmp_path / "stream"
    path.write_bytes(STREAM)

    check(decode(str(path)))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_hex_lines_in_a_file(decode, tmp_path, end):
    path = tmp_path / "lines"
    path.write_bytes(end.join(frame.hex().encode() for frame in FRAMES) + end)

    check(decode(str(path)))


def test_hex_lines_that_are_shorter_than_a_frame(decode):
    text = STREAM.hex()
    lines = "\n".join(text[index : index + 32] for index in range(0, len(text), 32))

    check(decode("-", stdin=lines.encode()))


def test_raw_stream_on_standard_input_is_the_default(decode):
    check(decode(stdin=STREAM))


def test_hex_digits_as_the_argument(decode):
    check_one = decode(FRAMES[0].hex())

    assert check_one[0] == 0
    assert "InitRequest" in check_one[1][0]
    assert decode(FRAMES[3].hex())[0] == 0  # longer than any file name


def test_nothing_is_no_error(decode):
    assert decode(stdin=b"") == (0, [], "")


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (b"\0\5", "5 bytes, the header alone has 16"),
        (wire.Frame(0x55, 1).encode(), "unknown frame type 0x55"),
        (wire.Frame(3, 1, b"abc").encode(), "call request is cut off"),
        (b"\0\x20abc", "the stream ends 5 bytes into a frame"),
    ],
)
def test_first_byte_that_is_no_frame_is_named_after_the_good_frames(decode, bad, text):
    good = FRAMES[0] + FRAMES[1]
    status, lines, errors = decode(stdin=good + bad)

    assert status == 1
    assert len(lines) == 2
    assert f"at byte {len(good)} " in errors
    assert text in errors


def test_line_that_is_no_hex_is_named(decode):
    status, lines, errors = decode(stdin=FRAMES[0].hex().encode() + b"\nabc\n")

    assert (status, len(lines)) == (1, 1)
    assert "line 2" in errors


def test_missing_file_is_named(decode):
    status, _, errors = decode("no such file")

    assert status == 2
    assert "no such file" in errors


def test_command_runs_as_a_module():
    result = subprocess.run(
        [sys.executable, "-m", "tchannel_wire", "decode", FRAMES[0].hex()],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.startswith("00000000 InitRequest(id=1")
