"""What a caller may make the router do by advertising."""

import pytest

import tchannel_wire as wire
from tchannel.net import local_ip
from tchannel_hyperbahn import Router
from tchannel_hyperbahn.router.local import is_same_host


@pytest.fixture
def raw_peer(open_raw):
    """A function that connects to a router and announces an address."""

    async def connect(router, host_port):
        peer = await open_raw(router.hostport)
        await peer.shake_hands(host_port)
        return peer

    return connect


async def advertise(raw_peer, router, host_port, *names):
    peer = await raw_peer(router, host_port)
    return await peer.advertise(*names)


async def test_the_router_connects_to_no_other_host_than_the_callers(raw_peer):
    async with Router() as router:
        refused = await advertise(raw_peer, router, "192.0.2.1:80", "service")
        assert isinstance(refused, wire.ErrorMessage)
        assert refused.code == wire.ErrorCode.BAD_REQUEST
        assert "announces 192.0.2.1:80, another host" in refused.description
        assert "trust_announced_hosts=True" in refused.description
        assert router.services == {}


async def test_a_caller_of_this_machine_may_announce_any_of_its_addresses(raw_peer):
    async with Router() as router:
        for host in {"127.0.0.1", "127.0.0.2", local_ip()}:
            answer = await advertise(raw_peer, router, f"{host}:1", "service")
            assert isinstance(answer, wire.CallResponse)


async def test_a_router_that_trusts_hosts_takes_what_is_announced(raw_peer):
    async with Router(trust_announced_hosts=True) as router:
        answer = await advertise(raw_peer, router, "192.0.2.1:80", "service")
        assert isinstance(answer, wire.CallResponse)
        assert router.services == {"service": ["192.0.2.1:80"]}


async def test_an_instance_may_have_so_many_names_and_say_them_again(raw_peer):
    async with Router(max_services=3) as router:
        peer = await raw_peer(router, "127.0.0.1:1")
        for _ in range(3):
            assert isinstance(await peer.advertise("a", "b", "c"), wire.CallResponse)
        refused = await peer.advertise("c", "d")
        assert "an instance may serve 3 names" in refused.description
        assert set(router.services) == {"a", "b", "c"}


async def test_a_host_may_have_so_many_instances(raw_peer):
    async with Router(max_instances=2) as router:
        for port in (1, 2, 1):
            answer = await advertise(raw_peer, router, f"127.0.0.1:{port}", "service")
            assert isinstance(answer, wire.CallResponse)
        refused = await advertise(raw_peer, router, "127.0.0.1:3", "service")
        assert "there may be 2 instances on one host" in refused.description


@pytest.mark.parametrize("name", ["max_services", "max_instances"])
def test_no_limit_may_be_zero(name):
    with pytest.raises(ValueError, match=f"{name} must be above 0"):
        Router(**{name: 0})


def test_hosts_are_the_same_if_equal_or_both_of_this_machine():
    assert is_same_host("192.0.2.1", "192.0.2.1")
    assert is_same_host("127.0.0.1", local_ip())
    assert not is_same_host("127.0.0.1", "192.0.2.1")
    assert not is_same_host("no address", "127.0.0.1")
