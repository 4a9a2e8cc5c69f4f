"""``tchannel replay``: recorded calls made again, and their answers compared."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest

pytest.importorskip("hdrh", reason="the extra `load`")

from tchannel_tools._calling.calls import Message
from tchannel_tools._idl.interface import load_file
from tchannel_tools._recordings.recording import Recording, Reply
from tchannel_tools.decode.bodies import Bodies
from tchannel_tools.main import main
from tchannel_tools.replay.comparing import Comparing

pytestmark = pytest.mark.extra


def line(endpoint, body="", answer=None, at=0.0, scheme="json", **fields):
    """A line of a load file."""
    found = {"service": "keyvalue-server", "endpoint": endpoint, "scheme": scheme, "at": at}
    if scheme == "json":
        found["headers"] = "{}"
    if answer is not None:
        headers = "{}" if scheme == "json" else ""
        found |= {"outcome": "ok", "answer": {"headers": headers, "body": answer}}
    return {**found, "body": body, **fields}


@pytest.fixture
def file(tmp_path):
    """Write a load file; gives its path."""

    def write(*lines):
        path = tmp_path / "calls.jsonl"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        return str(path)

    return write


async def test_answers_that_are_the_same_end_with_0(tool, service, file):
    path = file(line("get", '{"a": 1}', '{"a":1}'), line("echo", "x", "x", scheme="raw"))
    ran = await tool("replay", path, "-p", service.hostport)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 calls replayed in ")
    assert "2 the same, 0 different\n" in ran.out


async def test_a_difference_is_told_with_its_place_and_ends_with_126(tool, service, file):
    path = file(line("get", '{"a": {"b": [1, 2]}}', '{"a": {"b": [1, 3]}}'))
    ran = await tool("replay", path, "-p", service.hostport)

    assert ran.code == 126
    assert "  call 1: keyvalue-server get: body.a.b[1] was 3, is 2\n" in ran.out


async def test_an_error_instead_of_an_answer_is_a_difference(tool, service, file):
    path = file(line("crash", "{}", "{}"), line("nowhere", outcome="bad request", text="other"))
    ran = await tool("replay", path, "-p", service.hostport, "--json")

    assert ran.code == 126
    assert [one["difference"] for one in ran.json["differences"]] == [
        "was ok, is unexpected: RuntimeError: oops"
    ]


async def test_a_field_can_be_left_out_of_the_comparison(tool, service, file):
    path = file(line("get", '{"id": 1, "time": 5}', '{"id": 1, "time": 4}'))

    assert (await tool("replay", path, "-p", service.hostport)).code == 126
    assert (await tool("replay", path, "-p", service.hostport, "--ignore", "time")).code == 0


async def test_a_call_without_a_recorded_answer_is_made_and_not_compared(tool, service, file):
    ran = await tool("replay", file(line("get", "{}")), "-p", service.hostport, "--json")

    assert (ran.code, ran.json["calls"], ran.json["uncompared"]) == (0, 1, 1)


async def test_the_pace_is_that_of_the_recording_or_so_many_times_as_fast(tool, service, file):
    begun = []
    loop = asyncio.get_running_loop()

    @service.raw.register("when")
    def when(request):
        begun.append((request.body, loop.time()))

    # Not in the order in which they began: a recording has them as they ended.
    calls = [line("when", text, at=at, scheme="raw") for text, at in (("b", 10.4), ("a", 10.0))]
    ran = await tool("replay", file(*calls), "-p", service.hostport, "--speed", "2")

    assert ran.code == 0
    assert [body for body, _ in begun] == [b"a", b"b"]
    assert 0.19 < begun[1][1] - begun[0][1] < 0.39


async def test_as_fast_as_possible_there_are_only_so_many_at_once(tool, service, file):
    at_once = most = 0

    @service.raw.register("count")
    async def count(request):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1

    path = file(*(line("count", scheme="raw", at=number * 100.0) for number in range(9)))
    ran = await tool(
        *("replay", path, "-p", service.hostport, "--speed", "max", "--concurrency", "3")
    )

    assert (ran.code, most) == (0, 3)


async def test_some_calls_are_chosen_and_another_service_is_called(tool, service, file):
    path = file(
        line("get", "{}", "{}", service="old-name"),
        line("crash", "{}", "{}", service="old-name"),
    )
    ran = await tool(
        *("replay", path, "-p", service.hostport, "--to-service", "keyvalue-server"),
        *("--endpoint", "get", "--json"),
    )

    assert (ran.code, ran.json["calls"]) == (0, 1)


async def test_interrupted_it_shows_what_was_replayed(service, file):
    called = asyncio.Event()

    @service.raw.register("note")
    def note(request):
        called.set()

    path = file(line("note", scheme="raw"), line("note", scheme="raw", at=1000.0))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tchannel_tools", "replay", path, "-p", service.hostport),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    await called.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()

    assert process.returncode == 130
    assert out.startswith(b"1 calls replayed")
    assert err == b"tchannel replay: interrupted; this is what was replayed until then\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no.jsonl"], "cannot read no.jsonl: No such file"),
        (["no.yaml"], "cannot read no.yaml: there is no such file"),
        (["calls.jsonl", "--speed", "fast"], "--speed is a number above 0"),
        (["calls.jsonl", "--endpoint", "put"], "is chosen; there is keyvalue-server get"),
        (["calls.jsonl"], "nothing listens there; is the service running, and -p right?"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments, told, file, unused_port, tmp_path, capsys, monkeypatch
):
    file(line("get", "{}"))
    monkeypatch.chdir(tmp_path)
    assert main(["replay", *arguments, "-p", f"127.0.0.1:{unused_port}"]) == 125
    err = capsys.readouterr().err
    assert err.startswith("tchannel replay: ")
    assert told in err
    assert len(err.splitlines()) == 1


# -- comparing --------------------------------------------------------------------------------------


def difference(scheme, was, now, endpoint="get", ignored=(), bodies=None):
    replies = [one if isinstance(one, Reply) else Reply("ok", b"", one) for one in (was, now)]
    one = Recording("keyvalue", Message(scheme, endpoint, b"", b""), replies[0])
    return Comparing(bodies or Bodies(), ignored).difference(one, replies[1])


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (b'{"a": 1, "b": 2}', b'{"b":2,"a":1}', None),
        (b'{"a": 1}', b'{"a": 1.0}', None),
        (b'{"a": 1}', b'{"a": true}', "body.a was 1, is true"),
        (b'{"a": 1}', b"{}", "body.a is missing (was 1)"),
        (b"{}", b'{"a": "x"}', 'body.a is new ("x")'),
        (b"[1, 2]", b"[1]", "body had 2 items, has 1"),
        (b'"a"', b'"b"', 'body was "a", is "b"'),
        (b'"a"', b'{"a": 1}', 'body was "a", is {"a": 1}'),
        (b"1", b" 1", None),
        (b'{"a": null}', b'{"a": 0}', "body.a was null, is 0"),
    ],
)
def test_json_is_compared_as_values(was, now, told):
    assert difference("json", was, now) == told


def test_raw_bodies_are_compared_as_bytes():
    assert difference("raw", b"a", b"a") is None
    assert difference("raw", b"a", b"\xff") == 'body was "a", is "0xff"'


def test_a_long_value_is_cut():
    told = difference("raw", b"a" * 1000, b"b")
    assert len(told) < 150
    assert "(1002 characters)" in told


def test_what_a_peer_sent_is_shown_without_what_a_terminal_obeys():
    assert "\x1b" not in difference("json", b'"a"', b'"\\u001b[31m"')


def test_thrift_is_compared_by_its_fields_with_or_without_the_idl(guide_idl):
    was, now = (b"\x0b\0\0\0\0\0\1" + one + b"\0" for one in (b"a", b"b"))
    bodies = Bodies(load_file(guide_idl, strict=False))

    told = difference("thrift", was, now)
    assert told == 'body.0:string was "a", is "b"'
    told = difference("thrift", was, now, endpoint="KeyValue::getValue", bodies=bodies)
    assert told == 'body.success was "a", is "b"'
    assert difference("thrift", was, now, ignored=["0:string"]) is None


def test_headers_are_compared_without_tracing():
    was = Reply("ok", b'{"a": "1", "$tracing$x": "7"}', b"1")

    assert difference("json", was, Reply("ok", b'{"$tracing$x":"8","a":"1"}', b"1")) is None
    told = difference("json", was, Reply("ok", b'{"a": "2"}', b"1"))
    assert told == 'headers.a was "1", is "2"'
