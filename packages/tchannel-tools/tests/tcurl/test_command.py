"""The command as a whole, on services in the same loop."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from types import ModuleType

import pytest

from tchannel import errors
from tchannel.event import EventType
from tchannel_tools.tcurl import command


@pytest.fixture
def to(service):
    """The options and the name by which the service is called."""
    return ("-p", service.hostport, "keyvalue-server")


async def test_a_json_call_prints_the_answer(tcurl, to):
    ran = await tcurl(*to, "get", '{"a": [1, "é"]}', "--headers", '{"h": "1"}')

    assert ran.code == 0
    assert ran.err == ""
    assert ran.json == {
        "ok": True,
        "head": {"h": "1"},
        "body": {"a": [1, "é"]},
        "headers": {"as": "json"},
    }


async def test_a_raw_call_prints_the_body_and_nothing_else(tcurl, to):
    assert (await tcurl(*to, "echo", "--raw", "plain text")).out == "plain text"
    assert (await tcurl(*to, "headers", "--raw", "-2", "head")).out == "head"


async def test_an_application_error_is_shown_with_its_type_and_ends_with_126(tcurl, to):
    ran = await tcurl(*to, "fail")

    assert ran.code == 126
    assert ran.json["ok"] is False
    assert ran.json["body"] == {
        "type": "too-bad",
        "message": "as asked",
        "n": 1,
        "name": "TchannelHydratedErrorDefaultTypeError",
        "fullType": "too-bad",
    }
    assert ran.err == "tcurl: application error: too-bad: as asked\n"


async def test_a_raw_application_error_prints_its_body_and_ends_with_126(tcurl, to):
    ran = await tcurl(*to, "sorry", "--raw")

    assert (ran.code, ran.out, ran.err) == (126, "no way", "tcurl: application error\n")


async def test_an_error_frame_ends_with_its_code(tcurl, to):
    ran = await tcurl(*to, "crash")

    assert ran.code == 5
    assert (ran.json["ok"], ran.json["errorCode"]) == (False, 5)
    assert ran.err == "tcurl: unexpected: RuntimeError: oops\n"


@pytest.mark.parametrize(("code", "ends"), [(2, 2), (3, 3), (4, 4), (8, 8)])
async def test_every_error_frame_has_its_exit_code(tcurl, to, service, code, ends):
    def refuse(request):
        raise errors.TChannelError.from_code(code, "as asked")

    service.json.register("refuse", refuse)

    ran = await tcurl(*to, "refuse", "--timeout", "20s")

    assert ran.code == ends
    assert ran.err.count("\n") == 1


async def test_transport_headers_are_those_of_the_options(tcurl, to):
    options = ("--cn", "me", "--sk", "key", "--rd", "other", "--rk", "canary")
    ran = await tcurl(*to, "info", *options)

    assert ran.json["body"] == {
        "caller": "me",
        "shard_key": "key",
        "routing_delegate": "other",
        "routing_key": "canary",
    }


async def test_an_unknown_endpoint_and_another_scheme_are_told(tcurl, to):
    unknown = await tcurl(*to, "nosuch")
    mismatch = await tcurl(*to, "echo")

    assert (unknown.code, mismatch.code) == (6, 6)
    assert "is the endpoint right?" in unknown.err
    assert "try --raw instead of json" in mismatch.err


async def test_a_call_that_takes_too_long_ends_with_1(tcurl, to, service):
    never = asyncio.get_running_loop().create_future()
    service.json.register("never", lambda request: never)

    ran = await tcurl(*to, "never", "--timeout", "50")

    assert ran.code == 1
    assert "; --timeout gives it more than 0.05 s" in ran.err
    assert ran.err.count("\n") == 1


async def test_a_refused_connection_ends_with_125_and_one_line(tcurl):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        ran = await tcurl("-p", f"127.0.0.1:{port}", "svc", "ep")

    assert (ran.code, ran.out) == (125, "")
    assert f"cannot connect to 127.0.0.1:{port}: " in ran.err
    assert "nothing listens there" in ran.err
    assert ran.err.count("\n") == 1


async def test_a_host_that_does_not_exist_ends_with_125_and_one_line(tcurl):
    ran = await tcurl("-p", "nosuch.invalid:1", "svc", "ep")

    assert (ran.code, ran.out) == (125, "")
    assert "cannot connect to nosuch.invalid:1" in ran.err
    assert ran.err.count("\n") == 1


async def test_a_port_of_something_else_ends_with_125(tcurl):
    async def hang_up(reader, writer):
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        ran = await tcurl("-p", f"127.0.0.1:{port}", "svc", "ep", "--timeout", "2s")

    assert ran.code == 125
    assert "is a TChannel service listening there" in ran.err


async def test_one_of_several_peers_is_enough(tcurl, service):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{unused.getsockname()[1]}"
        hosts = json.dumps([dead, service.hostport])

        ran = await tcurl("-P", hosts, "keyvalue-server", "get", "{}")

    assert ran.code == 0


async def test_verbose_shows_what_is_to_be_known_of_the_call(tcurl, to, service):
    ran = await tcurl(*to, "get", "-v", "--cn", "me")

    lines = dict(line.removeprefix("* ").split(": ", 1) for line in ran.err.splitlines())
    assert lines["peer"] == service.hostport
    assert lines["request"] == "as=json, cn=me, re=c, checksum=crc32c"
    assert lines["attempts"] == "1 (0 retries)"
    assert lines["response"] == "as=json, code=0, 2 bytes of headers, 2 bytes of body"
    assert "ms" in lines["timing"]
    for word in ("trace=", "span=", "parent=0000000000000000", "flags=0"):
        assert word in lines["tracing"]
    assert ran.json["ok"] is True


async def test_verbose_shows_what_runs_natively(tcurl, to, monkeypatch):
    speedups = ModuleType("tchannel_speedups")
    speedups.active = lambda: {"wire": "native", "thrift": "not imported"}
    monkeypatch.setitem(sys.modules, "tchannel_speedups", speedups)

    ran = await tcurl(*to, "get", "-v")

    assert "* native: wire native, thrift not imported\n" in ran.err


async def test_verbose_shows_the_attempts_of_a_call_that_failed(tcurl, to, service):
    def busy(request):
        raise errors.BusyError("full")

    service.json.register("busy", busy)

    ran = await tcurl(*to, "busy", "-v", "--timeout", "20s")

    assert ran.code == 3
    assert "* attempts: 5 (4 retries)" in ran.err


async def test_health_is_asked_without_the_thrift_layer(tcurl, to, monkeypatch):
    monkeypatch.setitem(sys.modules, "tchannel_thrift", None)

    ran = await tcurl(*to, "--health")

    assert (ran.code, ran.out, ran.err) == (0, "OK\n", "")


async def test_a_service_that_is_not_healthy_ends_with_124(tcurl, to, service):
    from tchannel._serving.endpoints import Endpoint

    status = b"\x0c\0\0\x02\0\1\0\x0b\0\2\0\0\0\5tired\0\0"
    service.endpoints.add(
        "Meta::health",
        Endpoint("thrift", lambda request: None, None, lambda r: (0, b"\0\0", status)),
    )

    ran = await tcurl(*to, "--health")

    assert (ran.code, ran.out) == (124, "NOT OK\ntired\n")


async def test_a_health_that_nobody_tells_ends_with_125(tcurl, to, service):
    from tchannel._serving.endpoints import Endpoint

    def refuse(request):
        raise errors.UnhealthyError("no idea")

    service.endpoints.add("Meta::health", Endpoint("thrift", refuse, None, lambda r: (0, b"", b"")))

    ran = await tcurl(*to, "--health")

    assert ran.code == 125
    assert ran.out.startswith("NOT OK\n")


async def test_a_mistake_in_the_body_is_told_before_anything_is_called(tcurl):
    ran = await tcurl("-p", "127.0.0.1:1", "svc", "ep", "{bad")

    assert (ran.code, ran.out) == (125, "")
    assert ran.err == (
        "tcurl: the body is no JSON at line 1, column 2:"
        " Expecting property name enclosed in double quotes\n"
    )


async def test_a_value_that_cannot_be_sent_is_told(tcurl, to):
    ran = await tcurl(*to, "x" * 20_000, "{}")

    assert ran.code == 125
    assert ran.err.count("\n") == 1


async def test_debug_shows_the_traceback(tcurl):
    ran = await tcurl("-p", "127.0.0.1:1", "svc", "ep", "{bad", "--debug")

    assert ran.code == 125
    assert "Traceback" in ran.err


async def test_what_nobody_thought_of_is_one_line_too(tcurl, to, monkeypatch):
    def fail(target, tls):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(command, "make_channel", fail)

    ran = await tcurl(*to, "get")

    assert ran.code == 125
    assert ran.err == "tcurl: unexpected ZeroDivisionError: oops; --debug shows more\n"


async def test_calls_go_through_unix_sockets(tcurl, tcp, tmp_path):
    server = tcp("server", hostport=f"unix:{tmp_path}/s")
    server.json.register("get", lambda request: request.body)
    server.listen()

    ran = await tcurl("-p", server.hostport, "server", "get", "[1]")
    missing = await tcurl("-p", f"unix:{tmp_path}/none", "server", "get")

    assert ran.json["body"] == [1]
    assert missing.code == 125
    assert "there is no such socket" in missing.err


async def test_load_without_its_extra_says_what_to_install_before_anything_is_sent(
    tcurl, service, to, monkeypatch
):
    for module in [one for one in sys.modules if one.split(".")[0] == "hdrh"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "hdrh", None)
    asked = []
    service.hooks.register(asked.append, EventType.after_receive_request)

    for argv in (("get", "--requests", "5"), ("A::b", "--rate", "5"), ("--health", "--time", "1s")):
        ran = await tcurl(*to, *argv)

        assert (ran.code, ran.out) == (125, "")
        assert ran.err == (
            "tcurl: measuring many calls needs hdrhistogram, which is not installed:"
            " pip install 'tchannel-tools[load]'\n"
        )
    assert asked == []


@pytest.mark.extra
async def test_load_is_counted_and_measured(tcurl, to):
    pytest.importorskip("hdrh", reason="the extra `load`")

    as_text = await tcurl(*to, "get", "--requests", "30", "--concurrency", "3")
    as_json = await tcurl(*to, "fail", "--requests", "5", "--format", "json")
    health = await tcurl(*to, "--health", "--requests", "5", "--rate", "1000", "--format", "json")

    assert as_text.code == 0
    assert as_text.out.startswith("30 calls in ")
    assert as_json.code == 126
    assert as_json.json["errors"] == {"application error": {"code": 126, "count": 5}}
    assert (health.code, health.json["ok"]) == (0, 5)


@pytest.mark.extra
async def test_load_on_nobody_ends_at_once(tcurl):
    pytest.importorskip("hdrh", reason="the extra `load`")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))

        ran = await tcurl("-p", f"127.0.0.1:{unused.getsockname()[1]}", "svc", "ep", "--time", "1h")

    assert ran.code == 125
    assert "nothing listens there" in ran.err


def run_process(*argv, **kwargs):
    command_line = [sys.executable, "-m", "tchannel_tools.tcurl", *argv]
    return subprocess.run(
        command_line, check=False, capture_output=True, text=True, timeout=30, **kwargs
    )


def test_the_module_is_the_command():
    done = run_process("--version")
    bad = run_process("-p", "127.0.0.1:1", "svc", "ep", "-3", "-", input="{bad")

    assert (done.returncode, done.stdout[:6]) == (0, "tcurl ")
    assert bad.returncode == 125
    assert "the body in standard input is no JSON at line 1, column 2" in bad.stderr
    assert bad.stderr.count("\n") == 1


def test_a_reader_that_has_had_enough_makes_no_traceback():
    script = "import sys\nfrom tchannel_tools.tcurl import main\nsys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors_ = process.stderr.read()
    process.stderr.close()
    process.wait(30)

    assert b"Traceback" not in errors_


def test_ctrl_c_ends_with_130_and_no_traceback():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "tchannel_tools.tcurl", "-p", f"127.0.0.1:{port}", "svc", "ep"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()  # it runs, and waits for a handshake
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        connection.close()

    assert process.returncode == 130
    assert b"Traceback" not in out + err
