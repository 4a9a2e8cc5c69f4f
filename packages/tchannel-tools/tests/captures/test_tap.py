"""``tchannel tap`` and ``record``: what passes is relayed as it is, shown, saved and recorded."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from tchannel import TChannel, errors
from tchannel_tools._captures.calls import KEPT, Call
from tchannel_tools.decode.bodies import Bodies
from tchannel_tools.decode.printing import Printer
from tchannel_tools.main import main
from tchannel_tools.tap.relay import Relay
from tchannel_tools.tap.watching import GuardedSaving, Watching


@pytest.fixture
async def service():
    channel = TChannel("service", hostport="127.0.0.1:0")

    @channel.json.register
    async def echo(request):
        return request.body

    @channel.json.register
    async def busy(request):
        raise errors.BusyError("too much to do")

    channel.listen()
    yield channel
    await channel.close()


@pytest.fixture
async def client():
    channel = TChannel("client")
    yield channel
    await channel.close()


@pytest.fixture
async def tap(service, tmp_path):
    """A tap before the service, and where it saves what passes."""
    path = tmp_path / "calls.pcapng"
    printer = Printer(Bodies(), as_json=True)
    saving = GuardedSaving(path.open("wb"), pytest.fail)

    def show(one):
        if isinstance(one, Call):
            printer.call(one)

    relay = Relay(
        service.hostport, Watching(show, keep=KEPT, saving=saving).look, pytest.fail, pytest.fail
    )
    hostport = await relay.start("127.0.0.1:0")
    yield hostport, path
    await relay.close()
    saving.close()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


async def test_calls_that_pass_are_shown_and_saved(tap, client, capsys):
    hostport, path = tap
    large = {"text": "x" * 200_000}
    for body in ({"a": 1}, large):
        response = await client.json("service", "echo", body, hostport=hostport)
        assert response.body == body
    with pytest.raises(errors.BusyError):
        await client.json("service", "busy", {}, hostport=hostport, retry_limit=0)

    shown = lines(capsys.readouterr().out)
    assert [(one["endpoint"], one["outcome"]) for one in shown] == [
        ("echo", "ok"),
        ("echo", "ok"),
        ("busy", "busy"),
    ]
    assert shown[0]["request"]["body"] == shown[0]["response"]["body"] == {"a": 1}
    assert main(["decode", str(path), "--json", "--bodies"]) == 0
    saved = lines(capsys.readouterr().out)
    for one in (*shown, *saved):
        del one["time"], one["latency"]
    assert saved == shown


async def test_small_frames_pass_at_once_both_ways(service, client, monkeypatch):
    ends = []

    class Watched(Relay):
        async def _relay(self, reader, writer):
            ends.append(writer)
            await super()._relay(reader, writer)

    open_connection = asyncio.open_connection

    async def watched(*place, **settings):
        reader, writer = await open_connection(*place, **settings)
        ends.append(writer)
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", watched)
    relay = Watched(service.hostport, lambda passed: None, pytest.fail)
    await client.json("service", "echo", {}, hostport=await relay.start("127.0.0.1:0"))

    assert [
        bool(end.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        for end in ends
    ] == [True, True]
    await relay.close()


async def test_connections_that_end_leave_nothing_behind(tap, service, capsys):
    hostport, _ = tap
    before = len(asyncio.all_tasks())
    channel = TChannel("passing")
    await channel.json("service", "echo", {}, hostport=hostport)
    await channel.close()
    while len(asyncio.all_tasks()) > before:
        await asyncio.sleep(0)

    assert len(lines(capsys.readouterr().out)) == 1


async def test_a_service_that_is_not_there_is_told_and_the_caller_learns_it(client, unused_port):
    failures = []
    relay = Relay(f"127.0.0.1:{unused_port}", lambda passed: None, failures.append)
    hostport = await relay.start("127.0.0.1:0")
    with pytest.raises(errors.NetworkError):
        await client.json("service", "echo", {}, hostport=hostport)
    await relay.close()

    assert [type(one) for one in failures] == [ConnectionRefusedError]


async def test_a_file_that_cannot_be_written_any_more_costs_the_callers_nothing(
    service, client, tmp_path
):
    failures = []
    with open("/dev/full", "wb") as full:
        saving = GuardedSaving(full, failures.append)
        found = []
        relay = Relay(
            service.hostport, Watching(found.append, keep=0, saving=saving).look, pytest.fail
        )
        hostport = await relay.start("127.0.0.1:0")
        for _ in range(3):
            response = await client.json("service", "echo", {"a": 1}, hostport=hostport)
            assert response.body == {"a": 1}
        await relay.close()
        saving.close()

    assert sum(isinstance(one, Call) for one in found) == 3
    assert [one.strerror for one in failures] == ["No space left on device"]


async def test_a_mistake_in_the_looking_costs_nothing_but_the_look(service, client):
    mistakes = []

    def look(passed):
        raise ZeroDivisionError

    relay = Relay(service.hostport, look, pytest.fail, mistakes.append)
    hostport = await relay.start("127.0.0.1:0")
    response = await client.json("service", "echo", {"a": 1}, hostport=hostport)
    await relay.close()

    assert response.body == {"a": 1}
    assert {type(one) for one in mistakes} == {ZeroDivisionError}


@pytest.fixture
async def running():
    """Run ``tchannel tap`` or ``record`` as a process; gives it with the address it listens on."""
    started = []

    async def start(*arguments, **options):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tchannel_tools", *arguments),
            *("--listen", "127.0.0.1:0"),
            stdout=options.get("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
        )
        started.append(process)
        line = (await process.stderr.readline()).decode()
        return process, line.partition("listening on ")[2].partition(",")[0]

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process):
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_full_disk_is_told_once_and_is_the_exit_code(service, client, running):
    process, hostport = await running("tap", "--to", service.hostport, "--save", "/dev/full")
    for _ in range(2):
        await client.json("service", "echo", {}, hostport=hostport)

    code, out, err = await ended(process)
    assert code == 125
    assert out.count("service echo  ok") == 2
    assert err == (
        "tchannel tap: cannot write /dev/full: No space left on device; nothing more is saved in it\n"
    )


async def test_a_choice_of_nothing_says_what_there_was(service, client, running):
    process, hostport = await running("tap", "--to", service.hostport, "--endpoint", "other")
    await client.json("service", "echo", {}, hostport=hostport)

    code, out, err = await ended(process)
    assert (code, out) == (0, "")
    assert err == (
        "tchannel tap: --endpoint other chooses none of 1 calls; there was service echo (ok)\n"
    )


async def test_who_reads_no_further_ends_the_tap_without_a_word(service, client, running):
    read, write = os.pipe()
    process, hostport = await running("tap", "--to", service.hostport, stdout=write)
    os.close(write)
    os.close(read)
    await client.json("service", "echo", {}, hostport=hostport)

    _, err = await process.communicate()
    assert process.returncode == 125
    assert err == b""


# -- recording --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["calls.jsonl", "calls.yaml"])
async def test_calls_that_pass_are_recorded_and_replayed(
    service, client, running, tool, tmp_path, name
):
    path = str(tmp_path / name)
    process, hostport = await running("record", path, "--to", service.hostport)
    large = {"text": "x" * 200_000}
    for body in ({"a": 1}, large):
        await client.json("service", "echo", body, hostport=hostport)
    with pytest.raises(errors.BusyError):
        await client.json("service", "busy", {}, hostport=hostport, retry_limit=0)
    code, _, err = await ended(process)
    assert (code, err) == (0, f"tchannel record: 3 calls recorded in {path}\n")

    pytest.importorskip("hdrh", reason="the extra `load`")
    ran = await tool("replay", path, "-p", service.hostport, "--json", "--speed", "max")
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["calls"], ran.json["different"], ran.json["uncompared"]) == (3, 0, 0)


async def test_a_file_that_is_there_is_not_recorded_over(tool, tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text("precious")
    arguments = ("record", str(path), "--listen", "192.0.2.1:1", "--to", "127.0.0.1:1")

    ran = await tool(*arguments)
    assert (ran.code, path.read_text()) == (125, "precious")
    assert ran.err == f"tchannel record: {path} is there already; --overwrite replaces it\n"

    # What cannot be begun replaces nothing.
    ran = await tool(*arguments, "--overwrite")
    assert (ran.code, path.read_text()) == (125, "precious")
    assert "cannot listen on 192.0.2.1:1" in ran.err


def test_calls_of_a_capture_are_recorded(talk, tmp_path, capsys):
    talk.echo("get", b"head", b"body")
    talk.call("unanswered")
    talk.echo("set", code=1)
    capture = talk.capture.write(tmp_path / "calls.pcap")
    path = tmp_path / "calls.jsonl"

    assert main(["record", str(path), "--capture", str(capture), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"file": str(path), "calls": 3, "left_out": {}}
    found = lines(path.read_text())
    assert [(one["endpoint"], one.get("outcome")) for one in found] == [
        ("get", "ok"),
        ("set", "application error"),
        ("unanswered", None),
    ]
    assert (found[0]["headers"], found[0]["body"]) == ("head", "body")
    assert found[0]["answer"] == {"headers": "head", "body": "body"}
    assert 0 <= found[0]["at"] < found[2]["at"] < found[1]["at"]


def test_a_call_that_a_capture_cut_is_left_out_and_told(talk, tmp_path, capsys):
    talk.echo("get")
    _, (request,) = talk.call("cut", arg3=bytes(3000))
    del talk.capture.packets[-1]
    talk.answer(request.id)
    capture = talk.capture.write(tmp_path / "calls.pcap")

    assert main(["record", str(tmp_path / "calls.jsonl"), "--capture", str(capture)]) == 0
    err = capsys.readouterr().err
    assert "1 calls recorded in " in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["x"], "say what to record: --listen and --to for what passes, or --capture FILE"),
        (["x", "--listen", "127.0.0.1:0"], "say what to record"),
        (["x", "--capture", "y", "--to", "127.0.0.1:1"], "--capture reads a file"),
        (["x", "--capture", "/no/such"], "cannot read /no/such: No such file"),
        (["/no/such/folder/x", "--capture", "y"], "cannot write /no/such/folder/x: No such file"),
    ],
)
def test_a_mistake_in_recording_is_told_in_one_line(arguments, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["record", *arguments]) == 125
    err = capsys.readouterr().err
    assert err.startswith("tchannel record: ")
    assert told in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.glob("x*")) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--listen", "nowhere", "--to", "127.0.0.1:1"], "--listen: address 'nowhere' has no port"),
        (["--listen", "127.0.0.1:0", "--to", "unix:/x"], "--to: TCP connections are relayed"),
        (["--to", "127.0.0.1:1"], "the following arguments are required: --listen"),
        (["--listen", "192.0.2.1:1", "--to", "127.0.0.1:1"], "cannot listen on 192.0.2.1:1"),
        (
            ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--save", "/no/such/folder/x"],
            "cannot write /no/such/folder/x: No such file or directory",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, told, capsys):
    assert main(["tap", *arguments]) == 125
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
