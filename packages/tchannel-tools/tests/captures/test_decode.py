"""``tchannel decode``: the calls of a capture, whatever the capture is like."""

import json

import pytest

import tchannel_wire as wire

IDL = """
struct Pair { 1: required string key; 2: optional i64 number }
exception NotFound { 1: required string key }
service KeyValue { Pair get(1: string key) throws (1: NotFound missing) }
"""


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_each_call_is_shown_with_its_answer(talk, decode, kind):
    talk.echo("get", b"head", b"body")
    code, out, err = decode(talk.capture, kind=kind)

    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    assert "10.0.0.1:40000 -> 10.0.0.2:4040  keyvalue get  ok  (raw, 8/8 bytes)" in line
    assert " ms  " in line


def test_ipv6_is_read(new_capture, new_talk, decode):
    talk = new_talk(new_capture(ipv6=True)).begin()
    talk.echo("get")

    assert "[::1]:40000 -> [::2]:4040  keyvalue get  ok" in decode(talk.capture)[1]


def test_latency_is_from_the_first_frame_to_the_last(talk, decode):
    _, (request,) = talk.call("slow")
    talk.capture.time += 2
    talk.answer(request.id, arg3=bytes(100_000))
    (found,) = lines(decode(talk.capture, "--json")[1])

    packets = len(talk.capture.packets)
    assert 2 < found["latency"] < 2 + packets * 0.001
    assert found["response_bytes"] == 100_000


def test_segments_that_come_twice_or_late_are_put_in_order(talk, decode):
    before = len(talk.capture.packets)
    talk.echo("get", b"", bytes(range(256)) * 40)
    packets = talk.capture.packets
    requests = packets[before : before + 4]
    packets[before : before + 4] = [requests[0], requests[2], requests[1], requests[2], requests[3]]
    packets.insert(before + 7, packets[before + 6])

    (found,) = lines(decode(talk.capture, "--json", "--bodies")[1])
    assert (found["outcome"], found["request_bytes"]) == ("ok", 10_240)
    assert found["response"]["body"] == found["request"]["body"]


def test_a_capture_that_begins_inside_a_connection_is_read_from_its_next_frame_on(talk, decode):
    talk.echo("unseen")
    packets = talk.capture.packets
    talk.echo("seen", b"", bytes(range(256)) * 40)
    talk.echo("later")
    first = next(
        i for i, (_, packet) in enumerate(packets) if b"seen" in packet and b"un" not in packet
    )
    del packets[: first + 1]  # the request's first packet is gone, its second begins inside a frame

    found = lines(decode(talk.capture, "--json")[1])
    assert [one["endpoint"] for one in found] == ["later"]


def test_what_the_capture_did_not_see_is_told_and_costs_no_other_call(talk, decode):
    talk.echo("first")
    prepared = wire.prepare_call(
        "keyvalue", {"as": "raw", "cn": "c"}, b"lost", wire.ChecksumType.NONE
    )
    talk.client.call(prepared, b"", bytes(3000), ttl=1.0, tracing=bytes(25), now=0.0)
    data = talk.client.data_to_send()
    talk.server.receive(data, 0.0)
    talk.capture.send(data[:1000])
    talk.capture.lose(data[1000:2000])
    talk.capture.send(data[2000:])
    talk.server.data_to_send()
    talk.echo("last")

    code, out, err = decode(talk.capture, "--json")
    ended = {one["endpoint"]: one["outcome"] for one in lines(out)}
    assert ended["first"] == ended["last"] == "ok"
    assert "1000 bytes are not in the capture" in err
    assert code == 0


def test_packets_that_were_cut_by_the_capture_lose_their_own_frames_alone(talk, decode):
    talk.echo("first")
    _, (request,) = talk.call("cut", arg3=bytes(1000))
    time, packet = talk.capture.packets[-1]
    talk.capture.packets[-1] = (time, packet[:200])
    talk.answer(request.id)
    talk.echo("last")

    _, out, err = decode(talk.capture, "--json")
    assert [one["endpoint"] for one in lines(out)] == ["first", "last"]
    assert "bytes are not in the capture" in err


def test_several_connections_are_kept_apart(capture, new_talk, decode):
    one = new_talk(capture).begin()
    other = new_talk(capture, ("10.0.0.3", 40000)).begin()
    _, (first,) = one.call("one")
    _, (second,) = other.call("other")
    other.answer(second.id)
    one.answer(first.id)

    found = lines(decode(capture, "--json")[1])
    assert [(call["caller"], call["endpoint"]) for call in found] == [
        ("10.0.0.3:40000", "other"),
        ("10.0.0.1:40000", "one"),
    ]


def test_ports_that_are_used_again_are_a_connection_of_its_own(capture, new_talk, decode):
    new_talk(capture).begin().call("unanswered")
    new_talk(capture).begin().echo("answered")

    found = {call["endpoint"]: call["outcome"] for call in lines(decode(capture, "--json")[1])}
    assert found == {"unanswered": "no answer", "answered": "ok"}


def test_other_protocols_are_passed_over(capture, new_talk, decode):
    capture.syn(("10.0.0.9", 1234), ("10.0.0.2", 80))
    capture.send(b"GET / HTTP/1.1\r\n\r\n" * 20, ("10.0.0.9", 1234), ("10.0.0.2", 80))
    capture.send(b"HTTP/1.1 200 OK\r\n\r\n" * 20, ("10.0.0.2", 80), ("10.0.0.9", 1234))
    new_talk(capture).begin().echo("get")

    _, out, err = decode(capture)
    assert len(out.splitlines()) == 1
    assert "1 connections carry another protocol" in err


def test_errors_cancels_and_application_errors_are_told_apart(talk, decode):
    _, (request,) = talk.call("refused")
    talk.server.fail(request.id, wire.ErrorCode.BUSY, "too much\nto do")
    talk.answers()
    call, _ = talk.call("given-up")
    talk.client.cancel(call.id, "not wanted any more", now=0.0)
    talk.requests()
    talk.answers()
    talk.echo("failed", code=1)
    talk.call("lost")

    found = {one["endpoint"]: one for one in lines(decode(talk.capture, "--json")[1])}
    assert found["refused"]["outcome"] == "busy"
    assert found["refused"]["text"] == "too much\nto do"
    assert found["given-up"]["outcome"] == "cancelled"
    assert found["failed"]["outcome"] == "application error"
    assert found["lost"]["outcome"] == "no answer"
    out = decode(talk.capture)[1]
    assert "busy: too much to do" in out  # on one line: a peer's text obeys nobody's terminal


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--service", "keyvalue"], {"get", "set", "slow"}),
        (["--service", "other"], set()),
        (["--endpoint", "get"], {"get"}),
        (["--address", "10.0.0.1"], {"get", "set", "slow"}),
        (["--address", "10.0.0.2:4040"], {"get", "set", "slow"}),
        (["--address", "10.0.0.2:1"], set()),
        (["--outcome", "ok"], {"get", "slow"}),
        (["--outcome", "error"], {"set"}),
        (["--outcome", "application-error"], {"set"}),
        (["--slower-than", "500ms"], {"slow"}),
    ],
)
def test_calls_can_be_chosen(talk, decode, options, expected):
    talk.echo("get")
    talk.echo("set", code=1)
    _, (request,) = talk.call("slow")
    talk.capture.time += 1
    talk.answer(request.id)

    found = lines(decode(talk.capture, "--json", *options)[1])
    assert {one["endpoint"] for one in found} == expected


def test_a_choice_of_nothing_says_what_there_was(talk, decode):
    talk.echo("get")
    talk.echo("set", code=1)

    code, out, err = decode(talk.capture, "--endpoint", "put", "--outcome", "ok")
    assert (code, out) == (0, "")
    assert err == (
        "tchannel decode: --endpoint put, --outcome ok chooses none of 2 calls;"
        " there was keyvalue get (ok), keyvalue set (application error)\n"
    )


def test_a_capture_without_calls_is_no_wrong_choice(talk, decode):
    assert decode(talk.capture, "--endpoint", "put")[2] == ""


def test_the_summary_has_a_line_for_each_endpoint(talk, decode):
    for _ in range(9):
        talk.echo("get")
    _, (request,) = talk.call("get")
    talk.capture.time += 1
    talk.answer(request.id)
    talk.echo("set", code=1)

    found = lines(decode(talk.capture, "--summary", "--json")[1])
    assert [(one["endpoint"], one["calls"], one["outcomes"]) for one in found] == [
        ("get", 10, {"ok": 10}),
        ("set", 1, {"application error": 1}),
    ]
    latency = found[0]["latency"]
    assert latency["p50"] < 0.01 < 1 < latency["p99"] == latency["max"] < 1.1
    table = decode(talk.capture, "--summary")[1].splitlines()
    assert table[0].split()[:4] == ["service", "endpoint", "calls", "not"]
    assert table[1].split()[:4] == ["keyvalue", "get", "10", "0"]
    assert "1 application error" in table[2]


def test_bodies_are_shown_by_their_scheme(talk, decode, tmp_path):
    talk.echo("json", b'{"user": "me"}', b'{"a": [1]}', "json")
    headers = wire.encode_thrift_headers({"user": "me"})
    _, (request,) = talk.call("KeyValue::get", headers, b"\x0b\0\1\0\0\0\3key\0", "thrift")
    answer = b"\x0c\0\0\x0b\0\1\0\0\0\3key\x0a\0\2\0\0\0\0\0\0\0\7\0\0"
    talk.answer(request.id, headers, answer, "thrift")
    talk.echo("raw", b"", b"\xff\x00")
    idl = tmp_path / "kv.thrift"
    idl.write_text(IDL)

    as_json, plain, raw = lines(decode(talk.capture, "--json", "--bodies")[1])
    assert as_json["request"] == {"headers": {"user": "me"}, "body": {"a": [1]}}
    assert plain["request"] == {"headers": {"user": "me"}, "body": {"1:string": "key"}}
    assert plain["response"]["body"] == {"0:struct": {"1:string": "key", "2:i64": 7}}
    assert raw["request"]["body"] == "0xff00"
    named = lines(decode(talk.capture, "--json", "--bodies", "-t", str(idl))[1])[1]
    assert named["request"]["body"] == {"key": "key"}
    assert named["response"]["body"] == {"success": {"key": "key", "number": 7}}


def test_handshakes_and_pings_are_shown_when_asked_for(talk, decode):
    talk.client.ping(now=0.0)
    talk.requests()
    talk.answers()

    out = decode(talk.capture, "--events")[1]
    assert "init request of client, 10.0.0.1:40000" in out
    assert "init response of server, 10.0.0.2:4040" in out
    assert "ping" in out
    assert "pong" in out
    assert decode(talk.capture)[1] == ""


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_capture_that_ends_too_early_says_where_after_what_it_held(
    talk, decode, tmp_path, kind, capsys
):
    from tchannel_tools.main import main

    talk.echo("get")
    path = talk.capture.write(tmp_path / "cut", kind)
    data = path.read_bytes()
    talk.echo("later")
    whole = talk.capture.write(path, kind).read_bytes()
    path.write_bytes(whole[: len(data) + 40])

    code = main(["decode", str(path)])
    printed = capsys.readouterr()
    assert code == 125
    assert "keyvalue get  ok" in printed.out
    assert (
        f"cut ends in the middle of a packet, which begins at byte {len(data)}" in printed.err
        or (f"cut is damaged at byte {len(data)}" in printed.err)
    )
    assert len(printed.err.splitlines()) == 1


def test_a_length_that_no_packet_has_is_damage(talk, tmp_path, capsys):
    from tchannel_tools.main import main

    talk.echo("get")
    path = talk.capture.write(tmp_path / "damaged")
    data = bytearray(path.read_bytes())
    at = 24 + 16 + len(talk.capture.packets[0][1])
    data[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)

    assert main(["decode", str(path)]) == 125
    assert f"is damaged at byte {at}: a block of 2147483647 bytes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["decode", "no-such-file.pcap"], "there is no file 'no-such-file.pcap'"),
        (["decode", "."], "cannot read '.': Is a directory"),
        (["decode", "x", "--slower-than", "soon"], "--slower-than is a time like"),
        (["decode", "x", "--outcome", "oky"], "--outcome is one of ok, error, application error"),
        (["decode"], "the following arguments are required: FILE|HEX|-"),
        (["decode", "x", "--sumary"], "unknown option --sumary; did you mean --summary?"),
        (["decod", "x"], "there is no command 'decod': did you mean decode?"),
        (["paint"], "there is no command 'paint': there are call"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, told, capsys):
    from tchannel_tools.main import main

    assert main(arguments) == 125
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
    assert err.startswith("tchannel decode: " if arguments[0] == "decode" else "tchannel: ")


def test_frames_without_packets_are_decoded_as_by_the_wire_package(capfd):
    from tchannel_tools.main import main

    frame = wire.Frame(wire.FrameType.PING_REQUEST, 7).encode()
    assert main(["decode", frame.hex()]) == 0
    assert "PingRequest(id=7)" in capfd.readouterr().out


def test_a_file_that_is_nothing_of_the_kind_ends_with_125(tmp_path, capfd):
    from tchannel_tools.main import main

    path = tmp_path / "notes.pcap"
    path.write_text("hello\n")

    assert main(["decode", str(path)]) == 125
    assert capfd.readouterr().err.splitlines() == [
        "line 1: expected hex digits, got 'hello'",
        f"tchannel decode: {path} is no capture, nor frames up to its end",
    ]


def test_the_guides_file_gives_names_unless_it_is_read_strictly(talk, decode, guide_idl):
    talk.echo("get")
    options = ("--bodies", "-t", str(guide_idl))

    assert decode(talk.capture, *options)[0] == 0
    code, _, err = decode(talk.capture, *options, "--strict")
    assert code == 125
    assert "does not explicitly specify requiredness" in err


async def test_a_live_peer_is_asked_for_the_idl_of_bodies(talk, tool, tmp_path, keyvalue):
    body = b"\x0b\0\1\0\0\0\3key\0"
    for _ in range(2):
        talk.call("KeyValue::getValue", b"\0\0", body, "thrift", service="keyvalue-server")
    path = str(talk.capture.write(tmp_path / "calls.pcap"))

    ran = await tool("decode", path, "--json", "--peer", keyvalue.hostport)
    assert (ran.code, ran.err) == (0, "")
    assert [one["request"]["body"] for one in lines(ran.out)] == [{"key": "key"}] * 2


async def test_a_peer_that_tells_no_idl_is_told_once_and_costs_nothing_else(
    talk, tool, tmp_path, unused_port
):
    for endpoint in ("A::b", "A::c"):
        talk.call(endpoint, b"\0\0", b"\x0b\0\1\0\0\0\3key\0", "thrift")
    path = str(talk.capture.write(tmp_path / "calls.pcap"))

    ran = await tool("decode", path, "--json", "--peer", f"127.0.0.1:{unused_port}")
    assert ran.code == 0
    assert [one["request"]["body"] for one in lines(ran.out)] == [{"1:string": "key"}] * 2
    assert ran.err.count("\n") == 1
    assert "nothing listens there" in ran.err
    assert ran.err.endswith("; its fields are shown by their numbers\n")


@pytest.mark.parametrize("option", [["--json"], ["--service", "keyvalue"], ["--summary"]])
def test_what_is_for_calls_is_no_option_for_single_frames(option, capsys):
    from tchannel_tools.main import main

    assert main(["decode", "0010d00000000007 0000000000000000", *option]) == 125
    assert f"{option[0]} is for captures: 0010" in capsys.readouterr().err
