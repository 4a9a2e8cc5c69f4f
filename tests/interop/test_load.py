"""``tchannel load``, ``record``, ``replay`` and ``decode --peer`` on services of other libraries."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from thirdparty.install import IDL
from thirdparty.peer import CallError, Peer
from thirdparty.process import run_command

from tchannel import TChannel

KEYVALUE = str(IDL / "keyvalue.thrift")
TCHANNEL = (sys.executable, "-m", "tchannel_tools")

pytest.importorskip("hdrh", reason="the extra `load`")


def run(*argv: str, code: int = 0) -> Any:
    """Run ``tchannel ... --json``; gives what it printed."""
    done = run_command([*TCHANNEL, *argv, "--json"], seconds=60)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=["node4", "py21"])
def target(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("how_much", [(), ("--rate", "500", "--connections", "3")])
@pytest.mark.parametrize(
    "what",
    [
        ("echo", "hi", "--raw"),
        ("json-echo", '{"a": 1}'),
        ("KeyValue::setValue", "-t", KEYVALUE, "-3", '{"key": "a", "value": "b"}'),
    ],
)
def test_a_service_is_loaded_in_each_scheme(target, what, how_much):
    found = run("load", "-p", target.hostport, target.service, *what, *how_much, "--calls", "200")

    assert (found["calls"], found["ok"], found["errors"]) == (200, 200, {})
    assert 0 < found["latency_ms"]["50"] <= found["latency_ms"]["99"]


def test_errors_of_a_peer_are_counted_by_their_code(target):
    found = run(
        *("load", "-p", target.hostport, target.service, "crash", "--raw", "--calls", "20"), code=5
    )

    assert found["errors"] == {"unexpected": {"code": 5, "count": 20}}


def test_a_node_service_tells_the_idl_of_its_load(node4):
    found = run(
        *("load", "-p", node4.hostport, node4.service, "KeyValue::setValue"),
        *("-3", '{"key": "a", "value": "b"}', "--calls", "20"),
    )

    assert (found["scheme"], found["ok"]) == ("thrift", 20)


async def test_a_service_is_loaded_through_hyperbahn(hyperbahn, service_name):
    (router,) = hyperbahn.hostports
    channel = TChannel(service_name, hostport="127.0.0.1:0")

    @channel.raw.register
    def echo(request):
        return request.body

    try:
        await channel.advertise(routers=[router])
        found = await asyncio.to_thread(
            *(run, "load", "--router", router, service_name, "echo", "--raw", "hi"),
            *("--rate", "200", "--calls", "100", "--connections", "2"),
        )
        assert (found["ok"], found["errors"]) == (100, {})
    finally:
        await channel.close()


def test_a_name_that_nobody_advertises_is_declined_by_hyperbahn(hyperbahn, service_name):
    (router,) = hyperbahn.hostports
    done = run_command(
        [*TCHANNEL, "load", "--router", router, service_name, "echo", "--raw", "", "--calls", "5"],
        seconds=30,
    )

    assert done.returncode == 4
    assert "declined (4) " in done.stdout
    assert "the first declined: no peer available" in done.stderr


@contextmanager
def recording(path: Path, to: str) -> Iterator[str]:
    """Run ``tchannel record``; gives where it listens."""
    process = subprocess.Popen(
        [*TCHANNEL, "record", str(path), "--listen", "127.0.0.1:0", "--to", to],
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().partition("listening on ")[2].partition(",")[0]
        finally:
            process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("name", ["calls.jsonl", "calls.yaml"])
@pytest.mark.parametrize("caller_kind", ["node4", "py21"])
def test_calls_between_others_are_recorded_and_replayed(
    request, tmp_path, target, caller_kind, name
):
    caller: Peer = request.getfixturevalue(caller_kind)
    path = tmp_path / name
    with recording(path, target.hostport) as hostport:
        caller.call(hostport, target.service, "echo", head=b"h", body=b"b\xff" * 50_000)
        caller.call(hostport, target.service, "json-echo", scheme="json", body={"a": 1}, head={})
        with pytest.raises(CallError):
            caller.call(hostport, target.service, "crash")

    found = run("replay", str(path), "-p", target.hostport)
    assert (found["calls"], found["different"], found["uncompared"]) == (3, 0, 0)
    assert {one["endpoint"] for one in found["endpoints"]} == {"echo", "json-echo", "crash"}


def test_another_service_answers_recorded_calls_alike(tmp_path, node4, py21):
    """What a service of Node answers, one of Python answers, too; where it does not, that is told."""
    path = tmp_path / "calls.jsonl"
    with recording(path, node4.hostport) as hostport:
        py21.call(hostport, node4.service, "echo", body=b"same")
        py21.call(hostport, node4.service, "big", body=b"1000")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["answer"]["body"] = "other"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    found = run("replay", str(path), "-p", py21.hostport, "--to-service", py21.service, code=126)
    assert [one["difference"] for one in found["differences"]] == ['body was "other", is "same"']


def test_a_node_service_tells_the_idl_of_captured_bodies(tmp_path, node4, py21):
    path = tmp_path / "calls.pcapng"
    process = subprocess.Popen(
        [
            *(*TCHANNEL, "tap", "--listen", "127.0.0.1:0", "--to", node4.hostport),
            *("--save", str(path)),
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stderr is not None
        hostport = process.stderr.readline().partition("listening on ")[2].partition(",")[0]
        py21.call(
            *(hostport, node4.service, "KeyValue::setValue"),
            scheme="thrift",
            body={"key": "a", "value": "b"},
        )
        process.send_signal(signal.SIGINT)

    done = run_command(
        [*TCHANNEL, "decode", str(path), "--json", "--peer", node4.hostport], seconds=30
    )
    (call,) = (json.loads(line) for line in done.stdout.splitlines())
    assert call["request"]["body"] == {"key": "a", "value": "b"}
    assert done.stderr == ""
