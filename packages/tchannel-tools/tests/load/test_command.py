"""``tchannel load``: many calls, measured and compared."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys

import pytest

pytest.importorskip("hdrh", reason="the extra `load`")

from tchannel import errors
from tchannel.lowlevel import inside
from tchannel_tools.main import main

pytestmark = pytest.mark.extra

SERVICE = "keyvalue-server"


@pytest.fixture
def at(service):
    """The arguments that lead to the service."""
    return ("-p", service.hostport, SERVICE)


async def test_so_many_calls_are_made_and_measured(tool, service, at):
    ran = await tool("load", *at, "get", '{"key": "a"}', "--calls", "50", "--json")

    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert (found["calls"], found["ok"], found["errors"]) == (50, 50, {})
    assert 0 < found["latency_ms"]["min"] <= found["latency_ms"]["50"] <= found["latency_ms"]["max"]
    assert (found["service"], found["endpoint"], found["scheme"]) == (SERVICE, "get", "json")
    assert found["cpu_seconds"] > 0


async def test_people_get_a_table(tool, at):
    ran = await tool("load", *at, "echo", "--raw", "hi", "--calls", "5")

    assert ran.out.startswith("5 calls in ")
    assert "\n  ok                               5\n" in ran.out
    assert "\n  99.9 % " in ran.out


async def test_a_rate_is_kept(tool, at):
    ran = await tool("load", *at, "get", "--rate", "200", "--calls", "40", "--json")

    # The last is due after 195 ms; how much later it ends is the machine's business.
    assert ran.json["seconds"] >= 0.195
    assert (ran.json["calls"], ran.json["asked_rate"]) == (40, 200)


async def test_calls_go_over_so_many_connections(tool, service, at):
    met = set()

    @service.raw.register("who")
    def who(request):
        met.update(inside(service).connections)

    await tool("load", *at, "who", "--raw", "", "--calls", "9", "--connections", "3")

    assert len(met) == 3


async def test_rows_fill_bodies_and_headers_in_turn(tool, service, at, tmp_path):
    got = []

    @service.json.register("put")
    def put(request):
        got.append((request.body, request.headers))

    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"key": "a", "n": 1}\n{"key": "b", "n": 2}\n')
    ran = await tool(
        *("load", *at, "put", '{"key": "${key}", "n": "${n}"}', "-2", '{"user": "u${n}"}'),
        *("--data", str(rows), "--calls", "3", "--concurrency", "1"),
    )

    assert ran.code == 0
    assert got == [
        ({"key": "a", "n": 1}, {"user": "u1"}),
        ({"key": "b", "n": 2}, {"user": "u2"}),
        ({"key": "a", "n": 1}, {"user": "u1"}),
    ]


async def test_thrift_is_called_by_a_file_or_by_what_the_service_tells(tool, keyvalue, guide_idl):
    given = ("load", "-p", keyvalue.hostport, SERVICE, "KeyValue::setValue")
    body = ("-3", '{"key": "a", "value": "b"}', "--calls", "4", "--json")

    for ran in (await tool(*given, *body), await tool(*given, *body, "-t", str(guide_idl))):
        assert (ran.code, ran.json["ok"], ran.json["scheme"]) == (0, 4, "thrift")


async def test_errors_are_counted_by_kind_and_say_the_exit_code(tool, service, at):
    ran = await tool("load", *at, "fail", "--calls", "3", "--json")
    assert ran.code == 126
    assert ran.json["errors"] == {"application error": {"code": 126, "count": 3}}

    ran = await tool("load", *at, "crash", "--calls", "3")
    assert ran.code == 5
    assert "unexpected (5) " in ran.out
    assert ran.err == "tchannel load: the first unexpected: RuntimeError: oops\n"


async def test_what_a_peer_says_of_a_failure_does_not_drive_the_terminal(tool, service, at):
    @service.raw.register("hostile")
    def hostile(request):
        raise errors.BusyError("\x1b[31mred\nline")

    ran = await tool("load", *at, "hostile", "--raw", "", "--calls", "2")
    assert ran.code == 3
    assert ran.err == "tchannel load: the first busy: �[31mred line\n"


async def test_a_result_is_kept_in_a_file_and_compared_with(tool, at, tmp_path):
    before, now = tmp_path / "before.json", tmp_path / "now.json"
    await tool("load", *at, "get", "--calls", "10", "-o", str(before))
    ran = await tool("load", *at, "fail", "--calls", "20", "-o", str(now), "--compare", str(before))

    rows = {line[:22].strip(): line[22:].split() for line in ran.out.splitlines()}
    assert rows["calls"] == ["10", "20", "+100.0%"]
    assert rows["application error"] == ["0", "20"]
    assert len(rows["99 %"]) == 3

    ran = await tool("load", "--compare", str(before), str(now), "--json")
    assert ran.code == 0
    assert ran.json["change"]["ok"] == -1.0
    assert ran.json["change"]["application error"] is None
    assert ran.json["before"] == json.loads(before.read_text())


async def test_calls_of_a_load_file_are_made_in_turn(tool, service, at, tmp_path):
    calls = tmp_path / "calls.jsonl"
    calls.write_text(
        '{"service": "keyvalue-server", "endpoint": "get", "scheme": "json", "body": "{}"}\n'
        '{"service": "keyvalue-server", "endpoint": "sorry"}\n'
    )
    ran = await tool(
        "load", "-p", service.hostport, "--from", str(calls), "--calls", "10", "--json"
    )

    assert (ran.json["ok"], ran.json["errors"]["application error"]["count"]) == (5, 5)


@pytest.mark.parametrize("how_much", [(), ("--rate", "100")])
async def test_a_call_that_cannot_be_sent_ends_it_all(tool, service, tmp_path, how_much):
    calls = tmp_path / "calls.jsonl"
    calls.write_text(
        '{"service": "keyvalue-server", "endpoint": "echo"}\n'
        f'{{"service": "{"x" * 300}", "endpoint": "echo"}}\n'
    )
    ran = await tool(
        *("load", "-p", service.hostport, "--from", str(calls), "--concurrency", "1"), *how_much
    )

    assert ran.code == 125
    assert " echo cannot be called: " in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["svc"], "give an endpoint: tchannel load SERVICE ENDPOINT [BODY]"),
        ([], "give a service: tchannel load SERVICE ENDPOINT [BODY]"),
        (["svc", "get", "--cn", "x" * 300], "--cn: name must be at most 255 bytes"),
        (["x" * 300, "get"], "service must be at most 255 bytes"),
        (["svc", "get", "{}", "more"], "'more' is one argument too many"),
        (["svc", "get", "{}", "-3", "{}"], "the body is given twice"),
        (["svc", "get", "{"], "the body is no JSON at line 1, column 2"),
        (["svc", "get", "--rate", "0"], "--rate is a number above 0"),
        (["svc", "get", "--calls", "0"], "--calls is a whole number from 1 on"),
        (["svc", "get", "--duration", "0"], "--duration is more than 0"),
        (["svc", "get", "--duration", "soon"], "--duration is a time like 500"),
        (["svc", "get", "--ramp", "1m"], "--ramp 1m is longer than it all takes (30 s)"),
        (["svc", "get", "--data", "no.csv"], "cannot read the data file no.csv: No such file"),
        (["--from", "no.jsonl"], "cannot read no.jsonl: No such file"),
        (["svc", "get", "--from", "no.jsonl"], "--from says what to call"),
        (["--compare", "no.json"], "cannot read no.json: No such file"),
        (["--compare", "a", "b", "c"], "--compare takes one earlier result, or two"),
        (["svc", "A::b", "-t", "no.thrift"], "cannot read the Thrift file no.thrift"),
        (["svc", "get", "--scheme", "soap"], "invalid choice: 'soap'"),
        (["svc", "get", "--conections", "4"], "did you mean --connections?"),
        (["svc", "get"], "nothing listens there; is the service running, and -p right?"),
        (["svc", "get", "-o", "/no/such/folder/x"], "cannot write /no/such/folder/x: No such file"),
    ],
)
def test_a_mistake_is_told_in_one_line_before_anything_is_sent(
    arguments, told, unused_port, capsys
):
    assert main(["load", "-p", f"127.0.0.1:{unused_port}", *arguments]) == 125
    err = capsys.readouterr().err
    assert err.startswith("tchannel load: ")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_host_without_an_address_is_told(capsys):
    assert main(["load", "-p", "no-such-host.invalid:4040", "svc", "get"]) == 125
    err = capsys.readouterr().err
    assert "no such host; is -p right?" in err
    assert len(err.splitlines()) == 1


def test_what_is_no_result_is_told(tmp_path, capsys):
    for text, told in (("{", "is no JSON"), ('{"calls": 1}', "is no result of tchannel load")):
        path = tmp_path / "x.json"
        path.write_text(text)
        assert main(["load", "--compare", str(path), str(path)]) == 125
        assert told in capsys.readouterr().err


async def run_in_background(*arguments, **options):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tchannel_tools", "load", *arguments),
        stdout=subprocess.PIPE,
        stderr=options.pop("stderr", subprocess.PIPE),
        **options,
    )


async def test_interrupted_it_shows_what_was_measured(service, at):
    called = asyncio.Event()

    @service.raw.register("count")
    def count(request):
        called.set()

    process = await run_in_background(*at, "count", "--raw", "", "--rate", "100")
    await called.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()

    assert process.returncode == 130
    assert b" calls in " in out
    assert err.splitlines()[-1] == (
        b"tchannel load: interrupted; this is what was measured until then"
    )


async def test_progress_is_shown_on_a_terminal_alone(service, at):
    ours, theirs = pty.openpty()
    process = await run_in_background(
        *at, "echo", "--raw", "", "--rate", "100", "--duration", "1.2s", stderr=theirs
    )
    os.close(theirs)
    out, _ = await process.communicate()
    shown = os.read(ours, 65536).decode()
    os.close(ours)

    assert process.returncode == 0
    assert b" calls in " in out
    assert "tchannel load: " in shown
    assert "calls, " in shown
    # The line is taken away at the end; what follows is what the user should know, if anything.
    assert "\x1b[K" in shown
    assert "calls, " not in shown.rpartition("\x1b[K")[2]
