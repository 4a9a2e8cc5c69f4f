"""The guide's debugging chapter and the examples of --help, as they are printed."""

import json
import shlex

import pytest

from tchannel_hyperbahn import Router
from tchannel_tools.tcurl.arguments import EXAMPLES

SET = """tcurl -H /path/to/hyperbahn_host_list.json -t ~/keyvalue/thrift/service.thrift service KeyValue::setValue -3 '{"key": "hello", "value": "world"}'"""
GET = """tcurl -H /path/to/hyperbahn_host_list.json -t ~/keyvalue/thrift/service.thrift service KeyValue::getValue -3 '{"key": "hello"}'"""
GET_OTHER = """tcurl -H /path/to/hyperbahn_host_list.json -t ~/keyvalue/thrift/service.thrift service KeyValue::getValue -3 '{"key": "hi"}'"""


@pytest.fixture
async def guide(tcurl, keyvalue, guide_idl, tmp_path):
    """Run a command of the guide behind a router; only paths and the service's name are filled in."""
    async with Router() as router:
        hosts = tmp_path / "hyperbahn_host_list.json"
        hosts.write_text(json.dumps([router.hostport]))
        await keyvalue.advertise(routers=[router.hostport])
        filled = {
            "/path/to/hyperbahn_host_list.json": str(hosts),
            "~/keyvalue/thrift/service.thrift": str(guide_idl),
            "service": "keyvalue-server",
        }

        async def run(line, name="keyvalue-server"):
            words = [filled.get(word, word) for word in shlex.split(line)[1:]]
            return await tcurl(*(name if word == "keyvalue-server" else word for word in words))

        yield run
        await keyvalue.close(grace=1)


async def test_the_three_commands_of_the_guide_do_what_it_says(guide):
    stored = await guide(SET)
    read = await guide(GET)
    missing = await guide(GET_OTHER)

    assert (stored.code, stored.json["ok"], stored.err) == (0, True, "")
    assert (read.code, read.json["body"], read.err) == (0, "world", "")
    assert missing.code == 126
    assert missing.json["ok"] is False
    assert missing.json["exception"] == "NotFoundError"
    assert missing.json["body"] == {"key": "hi"}
    assert missing.err == 'tcurl: exception NotFoundError(key="hi")\n'


async def test_a_name_that_nobody_advertises_is_told_with_the_routers_answer(guide):
    ran = await guide(GET, name="nobody")

    assert ran.code == 4
    assert "no peer available for request" in ran.err
    assert "nobody advertises 'nobody' with the router" in ran.err


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line.strip(), marks=pytest.mark.extra if "--rate" in line else ())
        for line in EXAMPLES.splitlines()
        if "tcurl " in line
    ],
)
async def test_the_examples_of_the_help_work(
    tcurl, keyvalue, guide_idl, tmp_path, monkeypatch, line
):
    if "--rate" in line:
        pytest.importorskip("hdrh", reason="the extra `load`")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hosts.json").write_text(json.dumps([keyvalue.hostport]))
    (tmp_path / "body.json").write_text('{"key": "hello"}')
    await tcurl(
        *("-p", keyvalue.hostport, "keyvalue-server", "KeyValue::setValue"),
        '{"key": "hello", "value": "world"}',
    )
    words = shlex.split(line)[1:]
    words = [keyvalue.hostport if word == "127.0.0.1:4040" else word for word in words]
    if "--rate" in words:
        words[words.index("--requests") + 1] = "20"  # as many as the test has time for

    ran = await tcurl(*words)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out


async def test_the_help_shows_the_examples(tcurl, capsys):
    with pytest.raises(SystemExit) as caught:
        await tcurl("--help")

    assert caught.value.code == 0
    assert EXAMPLES in capsys.readouterr().out
