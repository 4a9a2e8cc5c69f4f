"""The third-party peers against each other: what holds here is the ground the other tests stand on."""

import json
import signal

import pytest
from thirdparty.peer import KINDS, VERSIONS, CallError, Peer, pattern

ERROR_CODES = {
    "timeout": 1,
    "cancelled": 2,
    "busy": 3,
    "declined": 4,
    "unexpected": 5,
    "bad-request": 6,
    "network": 7,
    "unhealthy": 8,
    "fatal": 255,
}


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


def test_each_peer_is_the_version_it_is_meant_to_be(peer):
    assert VERSIONS[peer.kind] == peer.version


def test_a_raw_call_comes_back_as_it_was_sent(client, peer):
    answer = client.call(peer.hostport, peer.service, "echo", head=b"h\x00", body=b"b\xff")

    assert (answer.ok, answer.head, answer.body) == (True, b"h\x00", b"b\xff")
    assert answer.transport["as"] == "raw"


def test_large_arguments_survive_both_ways(client, peer):
    body = pattern(300_000)

    assert body == client.call(peer.hostport, peer.service, "echo", body=body).body
    assert body == client.call(peer.hostport, peer.service, "big", body=b"300000").body


def test_an_application_error_is_an_answer(client, peer):
    answer = client.call(peer.hostport, peer.service, "notok", head=b"h", body=b"b")

    assert (answer.ok, answer.head, answer.body) == (False, b"h", b"b")


@pytest.mark.parametrize(("name", "code"), ERROR_CODES.items())
def test_each_error_code_arrives(client, peer, name, code):
    with pytest.raises(CallError) as caught:
        client.call(peer.hostport, peer.service, f"error-{name}")

    assert code == caught.value.code
    assert f"as asked: {name}" in caught.value.message


def test_a_handler_that_crashes_is_an_unexpected_error(client, peer):
    with pytest.raises(CallError, match="crashed as asked") as caught:
        client.call(peer.hostport, peer.service, "crash")

    assert caught.value.code == 5


def test_an_unknown_endpoint_is_a_bad_request(client, peer):
    with pytest.raises(CallError) as caught:
        client.call(peer.hostport, peer.service, "no-such-endpoint")

    assert caught.value.code == 6


def test_a_late_answer_within_the_time_out_counts(client, peer):
    assert client.call(peer.hostport, peer.service, "slow", body=b"50").body == b"done"


def test_a_call_that_is_never_answered_times_out(client, peer):
    with pytest.raises(CallError, match="timed out") as caught:
        client.call(peer.hostport, peer.service, "blackhole", timeout=0.3)
    assert caught.value.code in {None, 1}


def test_the_server_reports_what_arrived(client, peer):
    answer = client.call(peer.hostport, peer.service, "reqinfo", timeout=3, transport={"sk": "s1"})
    info = json.loads(answer.body)

    assert (peer.service, client.service) == (info["service"], info["caller"])
    assert (info["headers"]["as"], info["headers"]["sk"]) == ("raw", "s1")
    assert 2000 < info["ttl"] <= 3000
    assert info["checksum"] == 3
    assert client.hostport == info["remote"]
    assert 16 == len(info["tracing"]["span"]) == len(info["tracing"]["trace"])


@pytest.mark.parametrize("listen", [True, False], ids=["listening", "not listening"])
def test_a_server_calls_back_over_the_callers_own_connection(start_peer, client, peer, listen):
    caller = start_peer(client.kind, "caller", listen=listen)

    answer = caller.call(peer.hostport, peer.service, "callme", head=b"caller", body=b"hello")

    assert (answer.head, answer.body) == (b"called back", b"hello")
    assert caller.seen() == {"echo": 1}
    assert [connection["direction"] for connection in caller.connections()] == ["out"]


@pytest.mark.parametrize("how", [b"socket", b"process"])
def test_a_server_that_dies_in_the_middle_fails_the_call(start_peer, client, peer, how):
    victim = start_peer(peer.kind, "victim")
    caller = start_peer(client.kind, "caller")

    with pytest.raises(CallError) as caught:
        caller.call(victim.hostport, "victim", "die", body=how, timeout=20)
    assert caught.value.code in {None, 7}

    if how == b"socket":
        assert victim.seen() == {"die": 1}
    else:
        assert victim.process.wait(5) == -signal.SIGKILL


def test_dropped_connections_are_made_anew(start_peer, client, peer):
    server = start_peer(peer.kind, "server")
    client.call(server.hostport, "server", "echo")
    server.drop()

    assert server.connections() == []


@pytest.mark.parametrize("checksum", [0, 1, 3])
def test_calls_carry_the_checksum_type_that_was_chosen(start_peer, client, peer, checksum):
    caller = start_peer(client.kind, "caller", listen=False, checksum=checksum)

    answer = caller.call(peer.hostport, peer.service, "reqinfo")

    assert checksum == json.loads(answer.body)["checksum"]
    if client.kind != "py21":
        assert checksum == answer.checksum


def test_json_values_come_back(client, peer):
    answer = client.call(
        peer.hostport,
        peer.service,
        "json-echo",
        scheme="json",
        head={"h": "1"},
        body={"list": [1, "é"]},
    )

    assert (answer.ok, answer.head, answer.body) == (True, {"h": "1"}, {"list": [1, "é"]})


def test_a_json_failure_is_an_answer(client, peer):
    answer = client.call(peer.hostport, peer.service, "json-fail", scheme="json", head={}, body=7)

    assert not answer.ok
    assert answer.body["message"] == "failed as asked"


def test_a_json_handler_that_crashes_is_an_unexpected_error(client, peer):
    with pytest.raises(CallError) as caught:
        client.call(peer.hostport, peer.service, "json-crash", scheme="json", head={}, body=1)

    assert caught.value.code == 5


def thrift(client: Peer, peer: Peer, function: str, **arguments: object):
    return client.call(
        peer.hostport,
        peer.service,
        f"KeyValue::{function}",
        scheme="thrift",
        head={"h": "1"},
        body=arguments,
    )


def test_thrift_results_and_headers_arrive(client, peer):
    answer = thrift(client, peer, "getValue", key="hello")

    assert (answer.ok, answer.body, answer.head) == (True, "world", {"h": "1"})


def test_thrift_exceptions_that_are_declared_are_answers(client, peer):
    absent = thrift(client, peer, "getValue", key="nowhere")
    invalid = thrift(client, peer, "setValue", key="", value="v")

    assert (absent.ok, absent.exception, absent.body["key"]) == (False, "notFound", "nowhere")
    assert (invalid.ok, invalid.exception, invalid.body["reason"]) == (False, "invalidKey", "empty")


def test_a_thrift_value_that_was_set_is_there(client, peer):
    key = f"set by {client.kind}"

    assert thrift(client, peer, "setValue", key=key, value="v").body is None
    assert thrift(client, peer, "getValue", key=key).body == "v"


def test_a_thrift_handler_that_crashes_is_an_unexpected_error(client, peer):
    with pytest.raises(CallError) as caught:
        thrift(client, peer, "crash")

    assert caught.value.code == 5


def test_thrift_structs_come_back(client, peer):
    everything = {"yes": True, "medium": 7, "text": "é", "points": [{"x": 1, "y": -2}]}
    body = thrift(client, peer, "echo", everything=everything).body

    assert everything == {name: body[name] for name in everything}


def test_node_answers_pings(client, node4):
    client.ping(node4.hostport)


def test_a_peer_counts_the_calls_it_sees(start_peer, node4):
    server = start_peer("py21", "counted")
    for _ in range(3):
        node4.call(server.hostport, "counted", "echo")

    assert server.seen() == {"echo": 3}


async def test_calls_can_be_awaited(node4, py21):
    answer = await py21.call_async(node4.hostport, node4.service, "echo", body=b"b")
    await py21.ping_async(node4.hostport)

    assert answer.body == b"b"
