"""``python -m tchannel_wire decode``."""

import io
import json
import os
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


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"abc", "line 2: hex digits must come in pairs, got 'abc'"),
        (b"GET / HTTP/1.1", "line 2: expected hex digits, got 'GET / HTTP/1.1'"),
        (b"\xff" * 99, "line 2: expected hex digits, got "),
    ],
)
def test_line_that_is_no_hex_is_named(decode, line, text):
    status, lines, errors = decode(stdin=FRAMES[0].hex().encode() + b"\n" + line + b"\n")

    assert (status, len(lines)) == (1, 1)
    assert errors.startswith(text)
    assert errors.count("\n") == 1
    assert len(errors) < 200


@pytest.mark.parametrize("text", ["hello, this is no hex", "GET / HTTP/1.1\r\n\r\n", "é", "z"])
def test_text_that_is_no_hex_is_told_as_such(decode, text):
    status, lines, errors = decode("-", stdin=text.encode())

    assert (status, lines) == (1, [])
    assert errors.startswith(f"line 1: expected hex digits, got '{text[:1]}")


@pytest.mark.parametrize("frame", [*FRAMES[:4], wire.encode(wire.PingRequest(id=0x41414141))])
def test_raw_stream_is_never_taken_for_text(decode, frame):
    # From a peer that does not keep to it that reserved bytes are 0.
    frame = frame[:8] + b"A" * 8 + frame[16:]
    status, lines, _ = decode(stdin=frame)

    assert (status, len(lines)) == (0, 1)


def test_hex_dump_with_comments_on_standard_input(decode):
    dump = [
        f"{at:08x}: {STREAM[at : at + 16].hex(' ', 2)}  ..\n" for at in range(0, len(STREAM), 16)
    ]

    check(decode(stdin="".join(["# from xxd\n", "\n", *dump]).encode()))


def test_long_line_of_hex_is_read_in_linear_time(decode, tmp_path):
    path = tmp_path / "line"
    path.write_bytes(STREAM.hex().encode() * 20)
    status, lines, _ = decode(str(path))

    assert (status, len(lines)) == (0, 20 * len(FRAMES))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no such file", "'no such file': No such file or directory, and no hex: "),
        ("0010d00", "and no hex: hex digits must come in pairs"),
        ("x" * 5000, "File name too long, and no hex: "),
        ("", "'': Is a directory"),
    ],
)
def test_what_is_neither_a_file_nor_hex_is_named(decode, source, text):
    status, lines, errors = decode(source)

    assert (status, lines) == (2, [])
    assert text in errors
    assert errors.count("\n") == 1
    assert len(errors) < 300


def test_folder_is_no_file(decode, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    status, _, errors = decode("folder")

    assert status == 2
    assert errors == "'folder': Is a directory\n"


def test_closed_standard_input_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)

    assert main(["decode"]) == 2
    assert capsys.readouterr().err == "standard input is closed\n"


def test_closed_standard_output_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)

    assert main(["decode", FRAMES[0].hex()]) == 2
    assert capsys.readouterr().err == "standard output is closed\n"


def test_full_disk_is_named(monkeypatch, capsys):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())

    assert main(["decode", FRAMES[0].hex()]) == 2
    assert capsys.readouterr().err == "the output cannot be written: No space left on device\n"


def test_error_while_reading_is_named_after_the_good_frames(monkeypatch, capsys):
    class Failing(io.BytesIO):
        def read1(self, size=-1):
            if data := super().read1(size):
                return data
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Failing(FRAMES[0])))

    assert main(["decode"]) == 2
    out, err = capsys.readouterr()
    assert "InitRequest" in out
    assert err == "standard input: Input/output error\n"


def test_interrupt_ends_without_a_traceback(monkeypatch, capsys):
    class Interrupted(io.BytesIO):
        def read1(self, size=-1):
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Interrupted()))

    assert main(["decode"]) == 130
    assert capsys.readouterr().err == ""


def test_frames_of_a_live_stream_are_printed_as_they_come(monkeypatch, capsys):
    printed = []

    class Live(io.BytesIO):
        def read1(self, size=-1):
            printed.append(capsys.readouterr().out)
            return super().read1(min(size, len(FRAMES[0])))

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Live(FRAMES[0] + FRAMES[1])))

    assert main(["decode"]) == 0
    assert "InitRequest" in printed[1]


def test_reader_that_has_seen_enough_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "tchannel_wire", "decode", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    _, errors = process.communicate(STREAM, timeout=60)

    assert (process.returncode, errors) == (0, b"")


def test_text_that_the_output_cannot_show_is_escaped():
    frame = wire.encode(wire.ErrorMessage(id=1, code=5, description="é"))
    result = subprocess.run(
        [sys.executable, "-m", "tchannel_wire", "decode", frame.hex()],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )

    assert r"description='\xe9'" in result.stdout


def test_command_runs_as_a_module():
    result = subprocess.run(
        [sys.executable, "-m", "tchannel_wire", "decode", FRAMES[0].hex()],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.startswith("00000000 InitRequest(id=1")
