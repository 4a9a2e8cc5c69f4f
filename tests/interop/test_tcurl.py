"""Our tcurl beside the real one of Node.js, on the same targets: exit codes and bodies."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from thirdparty.install import IDL, TCURL
from thirdparty.process import run_command

KEYVALUE = str(IDL / "keyvalue.thrift")
THRIFT = ("-t", KEYVALUE)
OURS = (sys.executable, "-m", "tchannel.tcurl")
NODES = ("node", str(TCURL))
EVERYTHING = {
    "yes": True,
    "tiny": 7,
    "large": 5_000_000_000,
    "small": 300,
    "medium": 70_000,
    "real": 1.5,
    "text": "hé",
    "colour": "GREEN",
    "point": {"x": 1, "y": 2},
    "points": [{"x": 1, "y": 2}, {"x": 3, "y": 4}],
    "numbers": [1, 3],
    "counts": {"a": 1},
}


@dataclass(frozen=True)
class Ran:
    """What a run of a tool left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(tool, *argv: str) -> Ran:
    done = run_command([*tool, *argv], seconds=30)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(params=["node4", "py21"])
def target(request):
    """The arguments that call a peer."""
    peer = request.getfixturevalue(request.param)
    return ("-p", peer.hostport, peer.service, "--timeout", "5000")


def thrift_body(**fields: Any) -> tuple[str, str]:
    return ("-3", json.dumps({"everything": fields}))


JSON_COMMANDS = [
    ("json-echo", '{"a": 1, "b": [1.5, null, "é"]}'),
    ("json-echo", "-3", '{"a": {"b": true}}', "-2", '{"h": "1"}'),
    ("json-echo", "--body", "[1]", "--headers", '{"h": "1"}', "--json"),
    ("json-echo",),
    ("json-echo", "5"),
    ("json-echo", "hello"),
    ("json-echo", "[]"),
    ("json-echo", "[--]"),
    ("json-echo", "[", "--a", "1", "--b", "[", "x", "true", "]", "]"),
    ("json-echo", "-3", '{"a": 1}', '{"b": 2}'),
    ("-1", "json-echo", "-3", "{}"),
    ("json-echo", "{}", "--cn", "me", "--sk", "key", "--rd", "other"),
    ("json-echo", "{}", "--caller", "me", "--shard-key", "key", "--routing-delegate", "other"),
    ("KeyValue::getValue", *THRIFT, "-3", '{"key": "hello"}'),
    ("KeyValue::getValue", *THRIFT, '{"key": "hello"}', "--headers", '{"h": "1"}'),
    ("KeyValue::getValue", *THRIFT, "--no-strict", "[", "--key", "hello", "]"),
    ("KeyValue::getValue", *THRIFT, "-3", '{"key": "nobody\'s"}'),
    ("KeyValue::setValue", *THRIFT, "-3", '{"key": "", "value": "x"}'),
    ("KeyValue::setValue", *THRIFT, "-3", '{"key": "tcurl", "value": "x"}'),
    *(("KeyValue::echo", *THRIFT, *thrift_body(**{k: v})) for k, v in EVERYTHING.items()),
    ("KeyValue::echo", *THRIFT, *thrift_body(**EVERYTHING)),
    ("KeyValue::echo", *THRIFT, *thrift_body()),
    ("KeyValue::echo", *THRIFT, *thrift_body(nosuch=1)),
    ("KeyValue::echo", *THRIFT, *thrift_body(medium="7")),
]


@pytest.mark.parametrize("command", JSON_COMMANDS, ids=" ".join)
def test_exit_code_and_answer_are_those_of_the_real_tool(target, command):
    ours, nodes = run(OURS, *target, *command), run(NODES, *target, *command)

    assert ours.code == nodes.code
    for key in ("ok", "body", "headers", "typeName"):
        assert ours.json.get(key) == nodes.json.get(key), key
    assert ("body" in ours.json) == ("body" in nodes.json)


def test_an_application_error_is_shown_as_the_real_tool_shows_it(target):
    command = (*target, "json-fail", "-3", '{"a": 1}')

    ours, nodes = run(OURS, *command), run(NODES, *command)

    assert ours.code == nodes.code == 126
    assert ours.json["body"] == nodes.json["body"]
    assert ours.err == "tcurl: application error: as-asked: failed as asked\n"


def test_exact_shows_an_application_error_as_the_service_sent_it(target):
    ran = run(OURS, *target, "json-fail", "-3", '{"a": 1}', "--exact")

    assert ran.code == 126
    assert ran.json["body"] == {"type": "as-asked", "message": "failed as asked", "got": {"a": 1}}


@pytest.mark.parametrize(
    "command",
    [
        ("echo", "--raw", "-3", '{"a": 1}'),
        ("echo", "-r", "plain text"),
        ("echo", "-r", "-3", ""),
        ("big", "--raw", "-3", "100"),
        ("notok", "--raw", "-3", "sorry"),
    ],
    ids=" ".join,
)
def test_raw_bodies_are_printed_as_the_real_tool_prints_them(target, command):
    ours, nodes = run(OURS, *target, *command), run(NODES, *target, *command)

    assert (ours.code, ours.out) == (nodes.code, nodes.out)


@pytest.mark.parametrize(
    "name",
    [
        "timeout",
        "cancelled",
        "busy",
        "declined",
        "unexpected",
        "bad-request",
        "network",
        "unhealthy",
    ],
)
def test_an_error_frame_is_shown_as_the_real_tool_shows_it(target, name):
    command = (*target, f"error-{name}", "--raw")

    ours, nodes = run(OURS, *command), run(NODES, *command)

    assert ours.code == nodes.code
    assert ours.json == nodes.json
    assert "as asked" in ours.err
    assert ours.err.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("nosuch",),
        ("json-echo", "--raw", "x"),
        ("json-crash",),
        ("KeyValue::getValue", "-j", "-3", "{}"),
        ("KeyValue::crash", *THRIFT),
    ],
    ids=" ".join,
)
def test_a_refused_call_is_shown_as_the_real_tool_shows_it(target, command):
    ours, nodes = run(OURS, *target, *command), run(NODES, *target, *command)

    assert ours.code == nodes.code
    assert ours.json == nodes.json


def test_transport_headers_arrive_as_those_of_the_real_tool(node4):
    command = (
        *("-p", node4.hostport, node4.service, "reqinfo", "--raw", "--timeout", "4000"),
        *("--cn", "me", "--sk", "key", "--rd", "other"),
    )

    ours, nodes = run(OURS, *command).json, run(NODES, *command).json

    for key in ("service", "caller", "headers", "checksum", "flags"):
        assert ours[key] == nodes[key], key
    assert 3_000 < ours["ttl"] <= 4_000


def test_health_is_told_as_the_real_tool_tells_it(target, node4):
    for command in ((*target, "--health"), ("-p", node4.hostport, "nobody", "--health")):
        ours, nodes = run(OURS, *command), run(NODES, *command)

        assert ours.code == nodes.code
        assert ours.out.splitlines()[0] == nodes.out.splitlines()[0]


# What the real tool ends with, although nothing was called, or no answer came; and what ours does.
WRONG = [
    (("json-echo", "-3", "{bad"), 0, 125, "the body is no JSON at line 1, column 2"),
    (("json-echo", "{bad"), 1, 125, "the body is no JSON at line 1, column 2"),
    (("json-echo", "--nosuch"), 1, 125, "unknown option --nosuch"),
    ((), 1, 125, "give an endpoint"),
    (("json-echo", "--timeout", "soon"), 1, 125, "--timeout is a time like"),
    (("KeyValue::getValue", "-t", "/nowhere.thrift"), 0, 125, "cannot read the Thrift file"),
    (("KeyValue::getValue", *THRIFT), 0, 125, "body needs 'key' (string)"),
    (("KeyValue::nosuch", *THRIFT), 0, 125, "the IDL has no endpoint 'KeyValue::nosuch'"),
    (("KeyValue::echo", *THRIFT, *thrift_body(tiny=300)), 0, 125, "does not fit in a byte"),
    (("KeyValue::echo", *THRIFT, *thrift_body(colour="BLUE")), 0, 125, "give one of RED, GREEN"),
]


@pytest.mark.parametrize(
    ("command", "nodes_code", "code", "message"), WRONG, ids=lambda value: str(value)[:40]
)
def test_bad_input_is_one_line_and_an_exit_code_where_the_real_tool_has_none(
    target, command, nodes_code, code, message
):
    ours, nodes = run(OURS, *target[:3], *command), run(NODES, *target[:3], *command)

    assert (nodes.code, ours.code) == (nodes_code, code)
    assert message in ours.err
    assert ours.err.count("\n") == 1


def test_a_call_without_an_answer_ends_with_the_code_of_a_timeout(target):
    command = (*target[:3], "blackhole", "--raw", "--timeout", "200")

    ours, nodes = run(OURS, *command), run(NODES, *command)

    assert ours.code == 1
    # The real tool exits with 0 when its own timer is the first to fire, with 1 when it is not.
    assert nodes.code in {0, 1}
    assert ours.json["type"] == "tchannel.timeout"


def test_a_fatal_error_ends_with_what_the_real_tools_manual_says(target):
    command = (*target, "error-fatal", "--raw")

    ours, nodes = run(OURS, *command), run(NODES, *command)

    assert (nodes.code, ours.code) == (255, 127)
    assert ours.json == nodes.json


def test_a_refused_connection_is_no_success(target):
    command = ("-p", "127.0.0.1:1", "svc", "json-echo")

    ours, nodes = run(OURS, *command), run(NODES, *command)

    assert (nodes.code, ours.code, ours.out) == (0, 125, "")
    assert "nothing listens there" in ours.err


def test_what_the_real_tool_cannot_send_is_sent(py21):
    command = ("-p", py21.hostport, py21.service, "KeyValue::echo", *THRIFT)
    body = {"bytes": "ab", "large": 2**62, "tiny": -3, "colour": 1}

    ran = run(OURS, *command, *thrift_body(**body), "--exact")

    shown = {key: value for key, value in ran.json["body"].items() if value is not None}
    assert shown == {
        "bytes": {"type": "Buffer", "data": [97, 98]},
        "large": 2**62,
        "tiny": -3,
        "colour": "RED",
    }


def test_node_is_asked_for_its_idl(node4):
    to = ("-p", node4.hostport, node4.service)

    listed = run(OURS, *to, "--list")
    described = run(OURS, *to, "--describe", "Point")
    called = run(OURS, *to, "KeyValue::getValue", '{"key": "hello"}')
    wrong = run(OURS, *to, "KeyValue::getvalue")

    assert "  string KeyValue::getValue(1: required string key) throws" in listed.out
    assert described.out == "struct Point {\n  1: required i32 x\n  2: required i32 y\n}\n"
    assert called.json["body"] == "world"
    assert wrong.code == 125
    assert "did you mean KeyValue::getValue" in wrong.err


def test_a_python_service_of_old_does_not_tell_its_idl(py21):
    ran = run(OURS, "-p", py21.hostport, py21.service, "--list")

    assert (ran.code, ran.out) == (125, "")
    assert "give the file with -t" in ran.err


def test_load_is_measured_on_the_peers(target):
    pytest.importorskip("hdrh", reason="the extra `load`")

    ran = run(OURS, *target, "json-echo", "{}", "--requests", "200", "--format", "json")

    assert ran.code == 0
    assert (ran.json["calls"], ran.json["ok"], ran.json["errors"]) == (200, 200, {})
    assert 0 < ran.json["latency_ms"]["min"] <= ran.json["latency_ms"]["50"]
