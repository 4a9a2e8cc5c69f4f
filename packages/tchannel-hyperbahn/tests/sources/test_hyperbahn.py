from __future__ import annotations

import pytest

pytest.importorskip("tchannel_thrift", reason="needs the extra `discover`")

from tchannel_hyperbahn import HyperbahnSource

pytestmark = pytest.mark.extra


async def test_the_instances_are_called_without_a_router_in_between(serve, router, make_channel):
    service = await serve("keyvalue")
    source = HyperbahnSource("keyvalue", [router.hostport])
    client = make_channel("client", known_peers=source)

    response = await client.raw("keyvalue", "echo", b"x")

    assert response.body == b"x"
    assert client.peers.hosts == [service.hostport]


async def test_instances_come_and_go(serve, router, make_channel, clock, eventually, time_passes):
    first = await serve("keyvalue")
    source = HyperbahnSource("keyvalue", [router.hostport], period=10)
    client = make_channel("client", known_peers=source, clock=clock)
    client.use_loop()
    await eventually(lambda: client.peers.hosts == [first.hostport])

    second = await serve("keyvalue")
    await first.close()

    await time_passes(lambda: client.peers.hosts == [second.hostport], client, step=1)
    assert clock.time() <= 1000 + 12


async def test_when_nobody_is_left_the_last_answer_is_kept(
    serve, router, make_channel, clock, caplog, eventually, time_passes
):
    service = await serve("keyvalue")
    source = HyperbahnSource("keyvalue", [router.hostport])
    client = make_channel("client", known_peers=source, clock=clock)
    client.use_loop()
    await eventually(lambda: client.peers.hosts == [service.hostport])

    await service.close()
    complaint = "peers of 'keyvalue' by Hyperbahn: keeping the 1 peers known"
    await time_passes(lambda: complaint in caplog.text, client, step=1)

    assert client.peers.hosts == [service.hostport]


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ((5, ["a:1"]), TypeError, "service must be a str"),
        (("", ["a:1"]), ValueError, "service must not be empty"),
        (("x", []), ValueError, "routers must not be empty"),
        (("x", ["nowhere"]), ValueError, "no port"),
        (("x", "a:1"), TypeError, "routers must be a list"),
    ],
)
def test_a_mistake_is_refused_at_once(arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        HyperbahnSource(*arguments)
