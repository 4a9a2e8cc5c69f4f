"""The dissector for Wireshark, run by tshark."""

import json
import os
import shutil
import subprocess

import pytest

import tchannel_wire as wire
from tchannel_tools.main import main
from tchannel_tools.wireshark.command import dissector, plugin_folder


def test_it_is_printed(capsys):
    assert main(["wireshark"]) == 0
    assert capsys.readouterr().out == dissector()


def test_it_is_installed_where_it_is_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["wireshark", "--install"]) == 0
    place = plugin_folder() / "tchannel.lua"
    assert place.read_text() == dissector()
    assert str(place).startswith(str(tmp_path))
    assert str(place) in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["wireshark", "--install", "--folder", str(tmp_path / "file" / "x")]) == 125
    err = capsys.readouterr().err
    assert "cannot write" in err
    assert len(err.splitlines()) == 1


@pytest.fixture
def tshark(tmp_path):
    """Dissect a capture in two passes; the fields of each packet of this protocol."""
    program = shutil.which("tshark")
    if program is None:
        if os.environ.get("TCHANNEL_REQUIRE_PEERS") == "1":
            pytest.fail("tshark is not installed")
        pytest.skip("tshark is not installed (Debian: tshark)")
    script = tmp_path / "tchannel.lua"
    script.write_text(dissector())

    def run(capture, *options):
        path = capture.write(tmp_path / "calls.pcap")
        command = [program, "-2", "-X", f"lua_script:{script}", "-r", str(path), "-T", "json"]
        done = subprocess.run(
            [*command, "-Y", "tchannel", "--no-duplicate-keys", *options],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        assert "Lua" not in done.stderr, done.stderr
        layers = [packet["_source"]["layers"] for packet in json.loads(done.stdout)]
        frames = []
        for one in layers:
            found = one["tchannel"]
            frames += found if isinstance(found, list) else [found]
        return frames

    return run


def notes(frame):
    """The names of the expert notes of a frame."""
    found = frame.get("_ws.expert", [])
    return {
        key
        for note in (found if isinstance(found, list) else [found])
        for key in note
        if key.startswith("tchannel.")
    }


def test_calls_are_paired_and_their_fields_can_be_filtered(talk, tshark):
    talk.echo("get", b"head", b"body")
    init, answered, request, response = tshark(talk.capture)

    assert (init["tchannel.type"], answered["tchannel.type"]) == ("0x01", "0x02")
    assert request["tchannel.service"] == "keyvalue"
    assert request["tchannel.endpoint"] == response["tchannel.endpoint"] == "get"
    assert (request["tchannel.scheme"], request["tchannel.caller"]) == ("raw", "client")
    assert request["tchannel.arg2"] == "68:65:61:64"
    assert response["tchannel.arg3"] == "62:6f:64:79"
    assert request["tchannel.response_in"] == "6"
    assert response["tchannel.request_in"] == "5"
    assert 0 < float(response["tchannel.latency"]) < 0.01
    assert notes(request) == notes(response) == set()


def test_fragments_are_put_together(talk, tshark):
    body = bytes(range(256)) * 800
    talk.echo("large", b"", body)
    frames = tshark(talk.capture, "-Y", "tchannel.fragments")

    assert [frame["tchannel.fragments"] for frame in frames] == ["4", "4"]
    for frame in frames:
        assert bytes.fromhex(frame["tchannel.arg3"].replace(":", "")) == body


def test_what_is_noteworthy_is_noted(talk, tshark):
    _, (request,) = talk.call("refused")
    talk.server.fail(request.id, wire.ErrorCode.BUSY, "too much")
    talk.answers()
    talk.call("lost")
    _, _, refused, error, lost = tshark(talk.capture)

    assert error["tchannel.error.code"] == "0x03"
    assert error["tchannel.text"] == "too much"
    assert error["tchannel.request_in"] == "5"
    assert notes(error) == {"tchannel.error_frame"}
    assert refused["tchannel.response_in"] == "6"
    assert notes(lost) == {"tchannel.unanswered"}


REQUEST = wire.encode(
    wire.CallRequest(
        id=7, ttl_ms=100, service="s", headers={"as": "raw", "cn": "c"}, chunks=[b"e", b"", b"body"]
    )
)


def sized(data):
    return len(data).to_bytes(2, "big") + data[2:]


@pytest.mark.parametrize(
    ("frame", "note"),
    [
        (wire.Frame(0x55, 7).encode(), "tchannel.unknown_type"),
        (sized(REQUEST[:60]), "tchannel.cut_off"),
        (sized(REQUEST[:30]), "tchannel.cut_off"),
        (REQUEST[:17] + bytes(4) + REQUEST[21:], "tchannel.ttl_zero"),
        (REQUEST.replace(b"\x03" + REQUEST[-15:-11], b"\x09" + REQUEST[-15:-11]), "tchannel.unknown_checksum"),
        (wire.encode(wire.CallRequest(id=7, ttl_ms=1, service="s", headers={}, chunks=[])), "tchannel.no_chunk"),
        (wire.encode(wire.CallRequest(id=7, ttl_ms=1, service="s", headers={}, chunks=[b"e"])), "tchannel.args"),
        (wire.encode(wire.CallResponse(id=9, code=0, headers={}, chunks=[b"", b"", b""])), "tchannel.unpaired"),
        (wire.encode(wire.Claim(id=7, ttl_ms=1)), None),
    ],
)  # fmt: skip
def test_each_damaged_form_has_its_note(talk, tshark, frame, note):
    talk.capture.send(frame)
    found = tshark(talk.capture)[-1]

    if note is None:
        assert notes(found) == set()
    else:
        assert note in notes(found)


def test_a_frame_smaller_than_its_header_is_noted(talk, tshark):
    talk.capture.send(b"\x00\x03" + bytes(30))

    assert notes(tshark(talk.capture)[-1]) == {"tchannel.bad_size"}


def test_another_protocol_is_left_alone(capture, tshark):
    capture.syn()
    capture.send(b"GET / HTTP/1.1\r\n\r\n")

    assert tshark(capture) == []
