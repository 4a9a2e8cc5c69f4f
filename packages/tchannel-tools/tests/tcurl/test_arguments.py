"""The command line."""

import pytest

from tchannel_tools._calling.connecting import TLS
from tchannel_tools._calling.load import LoadPlan
from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.forms import Form
from tchannel_tools.tcurl.arguments import parse

P = ("-p", "127.0.0.1:1")


def test_service_endpoint_and_body_stand_anywhere_between_the_options():
    for argv in (
        ("svc", "ep", "{}", *P),
        (*P, "svc", "ep", "{}"),
        ("svc", *P, "ep", "--raw", "{}"),
        ("svc", "-1", "ep", *P, "{}"),
        ("-s", "svc", "ep", *P, "-3", "{}"),
        ("--service", "svc", "--endpoint", "ep", "--body", "{}", "--host", P[1]),
    ):
        arguments = parse(argv)

        assert (arguments.target.service, arguments.endpoint) == ("svc", "ep")
        assert arguments.body is not None
        assert arguments.body.text == "{}"
        assert arguments.target.peers == (P[1],)


def test_a_negative_number_is_a_body_and_no_option():
    for argv in (["svc", "ep", "-5"], ["svc", "ep", "-3", "-5"], ["svc", "ep", "--body", "-5"]):
        body = parse([*P, *argv]).body

        assert body is not None
        assert body.text == "-5"
        assert body.as_value() == -5
    assert parse([*P, "svc", "ep", "-.5e3"]).body.as_value() == -500


def test_an_i64_is_its_bytes_unless_numbers_or_exact_values_are_asked_for():
    assert parse([*P, "svc", "ep"]).form == Form()
    assert parse([*P, "svc", "ep", "--i64", "buffer"]).form == Form()
    assert parse([*P, "svc", "ep", "--i64", "number"]).form == Form(i64_as_number=True)
    assert parse([*P, "svc", "ep", "--exact"]).form == Form(i64_as_number=True, exact=True)


def test_a_body_in_third_place_goes_before_one_in_an_option():
    arguments = parse([*P, "svc", "ep", "-3", "{}", "[]"])

    assert arguments.body is not None
    assert arguments.body.text == "[]"


@pytest.mark.parametrize("option", ["-2", "--arg2", "--head", "--headers"])
def test_headers_have_every_spelling_of_the_node_tool(option):
    headers = parse([*P, "svc", "ep", option, "{}"]).headers

    assert headers is not None
    assert headers.text == "{}"


@pytest.mark.parametrize("option", ["-P", "--peerlist", "-H", "--hostlist"])
def test_a_host_list_has_every_spelling_and_a_peer_goes_before_it(option):
    assert parse(["svc", "ep", option, '["a:1", "b:2"]']).target.peers == ("a:1", "b:2")
    assert parse(["svc", "ep", option, '["a:1"]', *P]).target.peers == (P[1],)


@pytest.mark.parametrize(
    ("argv", "scheme"),
    [
        (["ep"], "json"),
        (["A::b"], "thrift"),
        (["ep", "-t", "x.thrift"], "thrift"),
        (["A::b", "-j"], "json"),
        (["A::b", "--json"], "json"),
        (["A::b", "-J"], "json"),
        (["A::b", "--raw"], "raw"),
        (["A::b", "-r", "-j", "-t", "x.thrift"], "raw"),
        (["--health"], "thrift"),
    ],
)
def test_the_scheme_is_that_of_the_options_or_of_the_endpoint(argv, scheme):
    assert parse([*P, "svc", *argv]).scheme == scheme


def test_a_call_is_given_caller_shard_key_routing_delegate_and_routing_key():
    short = parse([*P, "svc", "ep", "--cn", "me", "--sk", "k", "--rd", "d", "--rk", "r"])
    routing = ["--shard-key", "k", "--routing-delegate", "d", "--routing-key", "r"]
    long = parse([*P, "svc", "ep", "--caller", "me", *routing])

    for target in (short.target, long.target):
        assert (target.caller, target.shard_key) == ("me", "k")
        assert (target.routing_delegate, target.routing_key) == ("d", "r")
    assert parse([*P, "svc", "ep", "--shardKey", "k"]).target.shard_key == "k"
    assert parse([*P, "svc", "ep"]).target.caller == "tcurl"


def test_a_timeout_is_milliseconds_or_has_a_unit_and_5_s_by_default():
    assert parse([*P, "svc", "ep"]).target.timeout == 5.0
    assert parse([*P, "svc", "ep", "--timeout", "250"]).target.timeout == 0.25
    assert parse([*P, "svc", "ep", "--timeout", "2s"]).target.timeout == 2.0


def test_thrift_files_are_read_leniently_unless_told_otherwise():
    assert not parse([*P, "svc", "ep"]).strict
    assert not parse([*P, "svc", "ep", "--no-strict"]).strict
    assert parse([*P, "svc", "ep", "--strict"]).strict


def test_v_is_verbose_and_version_prints_the_version(capsys):
    assert parse([*P, "svc", "ep", "-v"]).verbose
    with pytest.raises(SystemExit) as caught:
        parse(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("tcurl ")


def test_one_call_is_made_unless_an_option_asks_for_load():
    assert parse([*P, "svc", "ep", "--delay", "5"]).load is None
    assert parse([*P, "svc", "ep", "--requests", "7"]).load == LoadPlan(
        7, None, 10, None, 0.0, as_json=False
    )
    assert parse([*P, "svc", "ep", "--rate", "2.5", "--delay", "5"]).load == LoadPlan(
        None, 2.5, 10, 30.0, 0.005, as_json=False
    )
    assert parse(
        [*P, "svc", "ep", "--time", "2s", "--concurrency", "3", "--format", "json"]
    ).load == LoadPlan(None, None, 3, 2.0, 0.0, as_json=True)


def test_any_option_about_certificates_means_tls():
    assert parse([*P, "svc", "ep"]).tls is None
    assert parse([*P, "svc", "ep", "--tls"]).tls == TLS(None, None, None, None, insecure=False)
    assert parse([*P, "svc", "ep", "--insecure"]).tls == TLS(None, None, None, None, insecure=True)
    assert parse(
        [*P, "svc", "ep", "--ca", "a", "--cert", "c", "--key", "k", "--server-name", "n"]
    ).tls == TLS("a", "c", "k", "n", insecure=False)


def test_an_idl_is_listed_without_any_peer():
    assert parse(["-t", "x.thrift", "--list"]).target.peers == ()
    assert parse(["-t", "x.thrift", "--describe", "Name"]).describe == "Name"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "give a service"),
        (["svc"], "give an endpoint"),
        (["--health", *P], "give a service"),
        (["--list", *P], "give a service"),
        (["svc", "ep"], "say where to call: -p HOST:PORT"),
        (["svc", "--list"], "say where to call"),
        ([*P, "svc", "ep", "{}", "more"], "'more' is one argument too many"),
        ([*P, "svc", "--health", "more"], "'more' is one argument too many"),
        ([*P, "svc", "ep", "--nosuch"], "unknown option --nosuch"),
        ([*P, "svc", "ep", "--jsn"], "unknown option --jsn; did you mean --json?"),
        ([*P, "svc", "ep", "--timeou=5"], "unknown option --timeou; did you mean --timeout?"),
        ([*P, "svc", "ep", "-x"], "unknown option -x"),
        ([*P, "svc", "ep", "--timeout"], "expected one argument"),
        ([*P, "svc", "ep", "--timeout", "soon"], "--timeout is a time like"),
        (["-p", "nowhere", "svc", "ep"], "-p: address 'nowhere' has no port"),
        ([*P, "svc", "ep", "--key", "k"], "--key needs --cert"),
        ([*P, "svc", "--list", "--rate", "5"], "are for calls"),
        ([*P, "svc", "ep", "--format", "xml", "--rate", "5"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_told(argv, message):
    with pytest.raises(ToolError) as caught:
        parse(argv)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("option", "spelling"),
    [
        ("-d", "-3, --body"),
        ("--rps", "--rate"),
        ("--batch-size", "--concurrency"),
        ("--profile", "cProfile"),
        ("-q", "2>/dev/null"),
        ("--http", "--raw"),
    ],
)
def test_an_option_of_an_older_tool_is_answered_with_the_new_spelling(option, spelling):
    with pytest.raises(ToolError) as caught:
        parse([*P, "svc", "ep", option, "5"])

    assert str(caught.value).startswith(f"{option} is no option any more: ")
    assert spelling in str(caught.value)


def test_after_two_dashes_everything_is_an_argument():
    body = parse([*P, "svc", "ep", "--", "-5"]).body

    assert body is not None
    assert body.text == "-5"
