"""``tchannel list`` and ``describe``: what a service tells of itself."""

import json

import pytest

from tchannel_tools.main import main


@pytest.fixture
def at(keyvalue):
    """The arguments that lead to the service."""
    return ("keyvalue-server", "-p", keyvalue.hostport)


async def test_the_methods_of_a_service_are_listed_with_their_signatures(tool, at):
    ran = await tool("list", *at)

    assert ran.code == 0
    assert "string KeyValue::getValue(1: string key) throws (1: NotFoundError notFound)" in ran.out
    assert "void KeyValue::setValue(1: string key, 2: string value)" in ran.out


async def test_json_has_them_by_service_and_endpoint(tool, at):
    ran = await tool("list", *at, "--json")

    assert ran.code == 0
    assert set(ran.json["services"]["KeyValue"]) == {"KeyValue::getValue", "KeyValue::setValue"}


async def test_a_file_says_by_itself_what_it_offers(tool, guide_idl):
    ran = await tool("list", "-t", str(guide_idl))

    assert ran.code == 0
    assert "KeyValue::getValue" in ran.out


async def test_a_service_that_tells_nothing_is_no_traceback(tool, tcp):
    server = tcp("quiet")

    @server.raw.register(server.FALLBACK)
    def anything(request):
        raise RuntimeError("no")

    server.listen()
    ran = await tool("list", "quiet", "-p", server.hostport)

    assert ran.code != 0
    assert ran.err.startswith("tchannel list: ")
    assert ran.err.count("\n") == 1


async def test_everything_is_described_without_a_name(tool, at):
    ran = await tool("describe", *at)

    assert ran.code == 0
    assert "service KeyValue\n" in ran.out
    assert "exception NotFoundError {\n  1: string key\n}" in ran.out


async def test_a_type_is_described_as_the_idl_has_it(tool, at):
    ran = await tool("describe", "keyvalue-server", "NotFoundError", *at[1:])

    assert (ran.code, ran.out) == (0, "exception NotFoundError {\n  1: string key\n}\n")


async def test_names_may_stand_anywhere_between_the_options(tool, at):
    before = await tool("describe", *at, "NotFoundError")
    after = await tool("describe", *at[1:], "keyvalue-server", "--json", "NotFoundError")

    assert before.code == after.code == 0
    assert list(after.json) == ["NotFoundError"]


async def test_what_there_is_not_is_told_with_what_comes_near(tool, at):
    ran = await tool("describe", "keyvalue-server", "NotFoundEror", *at[1:])

    assert ran.code == 125
    assert (
        "tchannel describe: the IDL has no 'NotFoundEror': did you mean NotFoundError?" in ran.err
    )


async def test_descriptions_are_json_for_machines(tool, guide_idl):
    ran = await tool("describe", "any", "NotFoundError", "-t", str(guide_idl), "--json")

    assert ran.json == {"NotFoundError": "exception NotFoundError {\n  1: string key\n}"}


async def test_health_is_told_and_is_the_exit_code(tool, at):
    ran = await tool("health", *at)
    by_json = await tool("health", *at, "--json")

    assert (ran.code, ran.out) == (0, "OK\n")
    assert by_json.json["ok"] is True
    assert by_json.json["peer"] == at[2]


@pytest.mark.parametrize("command", ["list", "health", "describe"])
@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        (["-p", "127.0.0.1:1"], 125, "nothing listens there"),
        (["-p", "no.such.host.invalid:1"], 125, "no such host"),
        (["-p", "nonsense"], 125, "-p"),
        ([], 125, "say where to call: -p HOST:PORT"),
        (["-p", "127.0.0.1:1", "--timeout", "x"], 125, "--timeout is a time"),
        (["-p", "127.0.0.1:1", "--ca", "/nowhere"], 125, "--ca /nowhere"),
        (["-P", "/nowhere.json"], 125, "cannot read the host list /nowhere.json"),
    ],
)
def test_a_mistake_is_one_line_and_the_documented_exit_code(command, where, code, said, capsys):
    assert main([command, "svc", *where]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.startswith(f"tchannel {command}: ")
    assert printed.err.count("\n") == 1


async def test_call_knows_the_context_and_tcurl_does_not(tool, tcurl, service, config):
    config.parent.mkdir()
    config.write_text(
        f'use = "here"\n[contexts.here]\npeers = ["{service.hostport}"]\ncaller = "me"\n'
    )
    ran = await tool("call", "keyvalue-server", "info")
    old = await tcurl("keyvalue-server", "info")

    assert json.loads(ran.out)["body"]["caller"] == "me"
    assert old.code == 125
    assert "say where to call" in old.err


async def test_a_call_may_name_its_scheme(tool, service):
    ran = await tool(
        "call", "keyvalue-server", "echo", "any text", "--scheme", "raw", "-p", service.hostport
    )

    assert (ran.code, ran.out) == (0, "any text")
