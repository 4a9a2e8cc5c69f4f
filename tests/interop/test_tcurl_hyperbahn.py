"""Our tcurl through a real Hyperbahn."""

import asyncio
import json
import sys

import pytest
from thirdparty.install import HYPERBAHN_IDL, IDL, TCURL
from thirdparty.process import run_command

from tchannel import TChannel, thrift

OURS = (sys.executable, "-m", "tchannel.tcurl")
NODES = ("node", str(TCURL))
GUIDE_IDL = """
exception NotFoundError {
    1: string key,
}

service KeyValue {
    string getValue(
        1: string key,
    ) throws (
        1: NotFoundError notFound,
    )

    void setValue(
        1: string key,
        2: string value,
    )
}
"""


async def run(tool, *argv):
    """Run a tool while this loop goes on, so that it can serve the call."""
    return await asyncio.to_thread(run_command, [*tool, *argv], seconds=30)


@pytest.fixture
async def guide(hyperbahn, service_name, tmp_path):
    """The guide's service, advertised; the arguments that call it as the guide does."""
    idl = tmp_path / "service.thrift"
    idl.write_text(GUIDE_IDL)
    hosts = tmp_path / "hyperbahn_host_list.json"
    hosts.write_text(json.dumps(hyperbahn.hostports))
    module = thrift.load(idl, service=service_name)
    values = {}
    async with TChannel(service_name, hostport="127.0.0.1:0") as channel:

        @channel.thrift.register(module.KeyValue)
        def getValue(request):
            if request.body.key not in values:
                raise module.NotFoundError(request.body.key)
            return values[request.body.key]

        @channel.thrift.register(module.KeyValue)
        def setValue(request):
            values[request.body.key] = request.body.value

        channel.listen()
        await channel.advertise(routers=hyperbahn.hostports)
        yield ("-H", str(hosts), "-t", str(idl), service_name)


async def test_the_guides_commands_do_what_the_real_tool_does(guide):
    commands = [
        ("KeyValue::setValue", "-3", '{"key": "hello", "value": "world"}'),
        ("KeyValue::getValue", "-3", '{"key": "hello"}'),
        ("KeyValue::getValue", "-3", '{"key": "hi"}'),
    ]
    ours = [await run(OURS, *guide, *command) for command in commands]
    # The real tool refuses the guide's own file unless it is told not to be strict.
    nodes = [
        await run(NODES, *guide, *command, "--no-strict", "--timeout", "5000")
        for command in commands
    ]

    assert [one.returncode for one in ours] == [one.returncode for one in nodes] == [0, 0, 126]
    for mine, theirs in zip(ours, nodes, strict=True):
        mine, theirs = json.loads(mine.stdout), json.loads(theirs.stdout)
        assert (mine["ok"], mine.get("body")) == (theirs["ok"], theirs.get("body"))
    assert json.loads(ours[1].stdout)["body"] == "world"
    assert ours[2].stderr == 'tcurl: exception NotFoundError(key="hi")\n'


async def test_a_service_behind_hyperbahn_is_asked_for_its_idl(guide):
    ran = await run(OURS, *guide[:2], guide[-1], "--list")

    assert "  void KeyValue::setValue(1: string key, 2: string value)" in ran.stdout


def test_a_name_that_nobody_advertises_is_told_with_hyperbahns_answer(hyperbahn, service_name):
    command = ("-p", hyperbahn.hostports[0], service_name, "ep", "--timeout", "5000")
    ours = run_command([*OURS, *command], seconds=30)
    nodes = run_command([*NODES, *command], seconds=30)

    assert ours.returncode == nodes.returncode == 4
    assert json.loads(ours.stdout) == json.loads(nodes.stdout)
    assert "no peer available for request" in ours.stderr
    assert f"nobody advertises {service_name!r} with the router" in ours.stderr


def test_a_service_that_died_is_a_network_error(start_peer, start_hyperbahn, service_name):
    cluster = start_hyperbahn(1)
    peer = start_peer("node4", service_name)
    peer.advertise(cluster.hostports)
    peer.process.kill()
    command = ("-p", cluster.hostports[0], service_name, "echo", "--raw", "--timeout", "5000")

    ours = run_command([*OURS, *command], seconds=30)

    assert ours.returncode == 7
    assert "the router did not reach the service" in ours.stderr


@pytest.mark.parametrize("kind", ["node4", "py21"])
def test_peers_behind_hyperbahn_are_called_in_every_scheme(
    start_peer, hyperbahn, service_name, kind
):
    peer = start_peer(kind, service_name)
    peer.advertise(hyperbahn.hostports)
    to = ("-p", hyperbahn.hostports[0], service_name)
    for command in (
        ("json-echo", '{"x": 1}'),
        ("KeyValue::getValue", "-t", str(IDL / "keyvalue.thrift"), '{"key": "hello"}'),
        ("echo", "--raw", "plain"),
        ("--health",),
    ):
        ours = run_command([*OURS, *to, *command], seconds=30)
        nodes = run_command([*NODES, *to, *command, "--timeout", "5000"], seconds=30)

        assert ours.returncode == nodes.returncode == 0
        if command[0] in {"echo", "--health"}:
            assert ours.stdout == nodes.stdout
        else:
            assert json.loads(ours.stdout)["body"] == json.loads(nodes.stdout)["body"]


def test_hyperbahn_itself_is_called(start_peer, hyperbahn, service_name):
    start_peer("node4", service_name).advertise(hyperbahn.hostports)
    to = (
        "-p",
        hyperbahn.hostports[0],
        "hyperbahn",
        "Hyperbahn::discover",
        "-t",
        str(HYPERBAHN_IDL),
    )
    for name in (service_name, "nobody-at-all", ""):
        body = json.dumps({"query": {"serviceName": name}})

        ours = run_command([*OURS, *to, body], seconds=30)
        nodes = run_command([*NODES, *to, body, "--timeout", "5000"], seconds=30)

        assert ours.returncode == nodes.returncode
        mine, theirs = json.loads(ours.stdout), json.loads(nodes.stdout)
        for key in ("ok", "body", "typeName"):
            assert mine.get(key) == theirs.get(key), key
