"""The third-party peers through a real Hyperbahn, without anything of ours."""

import pytest
from thirdparty.install import HYPERBAHN_IDL, IDL
from thirdparty.peer import CallError, pattern
from thirdparty.tcurl import tcurl, tcurl_async


@pytest.fixture(params=["node4", "node3", "py21"])
def advertised(request, start_peer, hyperbahn_pair, service_name):
    """A peer that advertised its service, `service_name`, on the first of two nodes."""
    peer = start_peer(request.param, service_name)
    peer.advertise(hyperbahn_pair.hostports[:1])
    return peer


@pytest.mark.parametrize("node", [0, 1], ids=["its own router", "the other router"])
def test_an_advertised_service_is_called_by_name(advertised, hyperbahn_pair, node4, py21, node):
    router = hyperbahn_pair.hostports[node]

    for client in (node4, py21):
        answer = client.call(router, advertised.service, "echo", head=b"h", body=pattern(300_000))

        assert (b"h", pattern(300_000)) == (answer.head, answer.body)


def test_tcurl_calls_through_hyperbahn_in_every_scheme(advertised, hyperbahn_pair):
    router, name = hyperbahn_pair.hostports[1], advertised.service
    keyvalue = IDL / "keyvalue.thrift"

    as_json = tcurl(router, name, "json-echo", body='{"x": 1}')
    as_thrift = tcurl(router, name, "KeyValue::getValue", idl=keyvalue, body='{"key": "hello"}')
    as_raw = tcurl(router, name, "echo", raw=True, body="plain")
    health = tcurl(router, name, health=True)

    assert as_json.output["body"] == {"x": 1}
    assert as_thrift.output["body"] == "world"
    assert "plain" in str(as_raw.output)
    assert health.code == 0
    assert "OK" in str(health.output)


def test_hyperbahn_tells_where_a_service_is(advertised, hyperbahn_pair):
    result = tcurl(
        hyperbahn_pair.hostports[0],
        "hyperbahn",
        "Hyperbahn::discover",
        idl=HYPERBAHN_IDL,
        body=f'{{"query": {{"serviceName": "{advertised.service}"}}}}',
    )

    port = int(advertised.hostport.rsplit(":", 1)[1])
    assert [port] == [peer["port"] for peer in result.output["body"]["peers"]]


def test_a_name_that_nobody_advertised_is_declined(hyperbahn, node4, service_name):
    with pytest.raises(CallError, match="no peer available") as caught:
        node4.call(hyperbahn.hostports[0], service_name, "echo")

    assert caught.value.code == 4


def test_an_unadvertised_service_is_gone(start_peer, hyperbahn, node4, service_name):
    router = hyperbahn.hostports[0]
    service = start_peer("node4", service_name)
    service.advertise([router])
    node4.call(router, service_name, "echo")

    service.unadvertise()

    with pytest.raises(CallError) as caught:
        node4.call(router, service_name, "echo")
    assert caught.value.code == 4


def test_a_node_of_a_cluster_can_die_and_come_back(start_hyperbahn, start_peer, service_name):
    cluster = start_hyperbahn(2)
    first, second = cluster.hostports
    client = start_peer("node4", "client", listen=False)

    cluster.kill(first)
    with pytest.raises(CallError):
        client.call(first, service_name, "echo", timeout=1)
    cluster.wait_ring()
    start_peer("node4", service_name).advertise([second])
    assert client.call(second, service_name, "echo", body=b"b").body == b"b"

    cluster.restart(first)
    cluster.wait_ring()
    start_peer("node4", service_name).advertise([first])
    assert client.call(first, service_name, "echo", body=b"b").body == b"b"


async def test_tcurl_can_be_awaited(node4):
    result = await tcurl_async(node4.hostport, node4.service, "json-echo", body="[1]")

    assert result.output["body"] == [1]
