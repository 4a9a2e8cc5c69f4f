from __future__ import annotations

import socket

import pytest

from tchannel.lowlevel import inside
from tchannel_hyperbahn import DnsSource


class Resolver:
    """A resolver that answers with ``addresses``, a list or an exception to raise."""

    def __init__(self, *addresses):
        self.addresses = list(addresses)
        self.asked = []

    async def __call__(self, name, port):
        self.asked.append((name, port))
        if isinstance(self.addresses, Exception):
            raise self.addresses
        return self.addresses


@pytest.fixture
async def resolving(make_channel, clock):
    """A function that gives a channel the peers of a resolver."""

    async def make(resolver, **options):
        source = DnsSource("keyvalue.example:4040", resolve=resolver, **options)
        channel = make_channel(known_peers=source, clock=clock)
        channel.use_loop()
        await clock.elapse(0)
        return channel

    return make


async def test_every_address_is_a_peer(resolving):
    resolver = Resolver("192.0.2.1", "192.0.2.2", "2001:db8::1")

    channel = await resolving(resolver)

    assert resolver.asked == [("keyvalue.example", 4040)]
    assert sorted(channel.peers.hosts) == [
        "192.0.2.1:4040",
        "192.0.2.2:4040",
        "[2001:db8::1]:4040",
    ]


async def test_the_name_is_looked_up_again_after_a_period(resolving, clock):
    resolver = Resolver("192.0.2.1")
    channel = await resolving(resolver, period=30)

    resolver.addresses = ["192.0.2.2"]
    await clock.elapse(26)
    assert channel.peers.hosts == ["192.0.2.1:4040"]
    await clock.elapse(8)

    assert channel.peers.hosts == ["192.0.2.2:4040"]


@pytest.mark.parametrize("answer", [socket.gaierror(-2, "unknown"), []])
async def test_a_failure_or_an_empty_answer_keeps_the_peers(resolving, clock, caplog, answer):
    resolver = Resolver("192.0.2.1")
    channel = await resolving(resolver)

    resolver.addresses = answer
    await clock.elapse(300)

    assert channel.peers.hosts == ["192.0.2.1:4040"]
    assert len(caplog.records) == 1
    assert "peers of keyvalue.example by DNS: keeping" in caplog.text


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "keyvalue.example"), ({"server_name": "other.example"}, "other.example")],
)
async def test_certificates_are_expected_to_bear_the_name(resolving, options, name):
    channel = await resolving(Resolver("192.0.2.1"), **options)

    assert inside(channel).peers_table.get("192.0.2.1:4040").server_name == name


async def test_the_systems_resolver_is_the_default(make_channel):
    server = make_channel("server", hostport="127.0.0.1:0")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    client = make_channel("client", known_peers=DnsSource(f"localhost:{server.port}"))

    assert (await client.raw("server", "echo", b"x")).body == b"x"
    assert f"127.0.0.1:{server.port}" in client.peers.hosts


@pytest.mark.parametrize("hostport", ["name", "name:0", "name:x"])
def test_what_is_no_address_is_refused(hostport):
    with pytest.raises(ValueError, match="port"):
        DnsSource(hostport)
