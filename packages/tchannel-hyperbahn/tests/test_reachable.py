from __future__ import annotations

import pytest

from tchannel._links import binding
from tchannel_hyperbahn.reachable import check_reachable


@pytest.fixture
def no_route(monkeypatch):
    """A machine without a route to anywhere."""
    monkeypatch.setattr(binding, "local_ip", lambda: "127.0.0.1")


async def test_a_routable_address_is_fine(make_channel, monkeypatch):
    monkeypatch.setattr(binding, "local_ip", lambda: "192.0.2.7")
    channel = make_channel(hostport="0.0.0.0:0")
    channel.listen()

    check_reachable(channel, ["198.51.100.1:21300"])


async def test_without_a_route_a_remote_router_is_refused(make_channel, no_route):
    channel = make_channel(hostport=None)
    channel.listen()

    with pytest.raises(ValueError, match=r"198\.51\.100\.1:21300 .*give the channel hostport="):
        check_reachable(channel, ["127.0.0.1:21300", "198.51.100.1:21300"])


@pytest.mark.parametrize("router", ["127.0.0.1:21300", "localhost:21300", "unix:/run/router"])
async def test_without_a_route_a_router_of_this_machine_is_fine(make_channel, no_route, router):
    channel = make_channel(hostport=None)
    channel.listen()

    check_reachable(channel, [router])


async def test_a_loopback_address_that_was_asked_for_is_only_warned_of(make_channel, caplog):
    channel = make_channel(hostport="127.0.0.1:0")
    channel.listen()

    check_reachable(channel, ["router.example:21300"])

    assert "reached from this machine alone" in caplog.text


@pytest.mark.parametrize("hostport", ["[::1]:0", "unix:{folder}/socket"])
async def test_what_hyperbahn_cannot_connect_to_is_refused(make_channel, tmp_path, hostport):
    channel = make_channel(hostport=hostport.format(folder=tmp_path))
    channel.listen()

    with pytest.raises(ValueError, match="IPv4 addresses alone: give the channel hostport="):
        check_reachable(channel, ["127.0.0.1:21300"])


async def test_a_channel_that_does_not_listen_is_refused(make_channel):
    with pytest.raises(ValueError, match="cannot be advertised"):
        check_reachable(make_channel(), ["127.0.0.1:21300"])
