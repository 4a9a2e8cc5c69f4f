"""Ours as services and as callers, through every network."""

from __future__ import annotations

import asyncio

import pytest
from thirdparty.install import IDL
from thirdparty.peer import CallError, pattern
from thirdparty.tcurl import tcurl_async

from tchannel import errors, sync, thrift
from tchannel_hyperbahn import NoPeersAvailable, discover

BIG = pattern(300_000)
KEYVALUE = IDL / "keyvalue.thrift"


@pytest.fixture
async def service(make_service, first_router, service_name, network):
    """Our service, advertised."""
    channel = make_service(f"{service_name}-{len(network.hostports)}"[-60:])
    response = await channel.advertise(routers=[first_router])
    assert response.body == {"connectionCount": 1}
    return channel


@pytest.fixture
def client(make_channel, last_router):
    """Our client, which has not awaited its advertisement."""
    channel = make_channel("client")
    channel.advertise(routers=[last_router])
    return channel


async def test_ours_finds_ours_by_name(service, client):
    response = await client.raw(service.name, "echo", b"body", b"head")

    assert (response.body, response.headers) == (b"body", b"head")


async def test_300_kb_cross_in_fragments_both_ways(service, client):
    response = await client.raw(service.name, "echo", BIG, BIG[:20_000])

    assert (response.body, response.headers) == (BIG, BIG[:20_000])


async def test_many_calls_at_once_all_get_their_own_answers(service, client):
    bodies = [str(number).encode() * 100 for number in range(500)]

    responses = await asyncio.gather(*[client.raw(service.name, "echo", b) for b in bodies])

    assert [response.body for response in responses] == bodies


async def test_the_routing_headers_arrive_untouched(service, client):
    headers = (await client.raw(service.name, "headers", shard_key="shard")).body.decode()

    assert "('sk', 'shard')" in headers
    assert "('cn', 'client')" in headers


async def test_a_routing_delegate_decides_where_a_call_goes(service, client):
    response = await client.call(
        "raw", "elsewhere", "echo", b"", b"delegated", routing_delegate=service.name
    )

    assert response.body == b"delegated"


async def test_a_thread_finds_it_by_name(service, last_router):
    def use():
        with sync.TChannel("threaded", hostport="127.0.0.1:0") as channel:
            channel.advertise(routers=[last_router])
            return channel.raw(service.name, "echo", b"from a thread").result(10).body

    assert await asyncio.to_thread(use) == b"from a thread"


async def test_who_only_calls_needs_routers_as_known_peers_and_nothing_else(
    service, make_channel, last_router
):
    client = make_channel("only-calls", known_peers=[last_router])

    response = await client.raw(service.name, "echo", b"body")

    assert response.body == b"body"
    assert not client.is_listening()


async def test_a_name_that_nobody_advertised_is_declined(client, service_name):
    with pytest.raises(errors.DeclinedError, match="no peer available for request"):
        await client.raw(service_name, "echo", retry_on="n")


async def test_unadvertised_it_is_gone_and_advertised_again_it_is_back(
    service, client, first_router
):
    await service.unadvertise()
    with pytest.raises(errors.DeclinedError):
        await client.raw(service.name, "echo", retry_on="n")

    await service.advertise()

    assert (await client.raw(service.name, "echo", b"back", retry_limit=10)).body == b"back"


async def test_a_closed_channel_is_gone(service, client):
    await client.raw(service.name, "echo")

    await service.close()

    with pytest.raises(errors.DeclinedError):
        await client.raw(service.name, "echo", retry_on="n")


async def test_calls_spread_over_the_instances(service, make_service, client, first_router):
    second = make_service(service.name)
    await second.advertise(routers=[first_router])

    async def answered():
        calls = [client.raw(service.name, "who") for _ in range(40)]
        return {response.body.decode() for response in await asyncio.gather(*calls)}

    async with asyncio.timeout(10):
        while await answered() != {service.hostport, second.hostport}:
            pass


async def test_a_call_that_takes_too_long_is_cancelled_in_the_handler(service, client):
    cancelled = asyncio.Event()

    @service.raw.register("forever")
    async def forever(request):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(errors.TimeoutError):
        await client.raw(service.name, "forever", timeout=0.3)

    async with asyncio.timeout(5):
        await cancelled.wait()


# -- others as callers ----------------------------------------------------------------------------


async def test_others_call_ours_by_name(peer, service, last_router):
    answer = await peer.call_async(last_router, service.name, "echo", head=b"h", body=BIG)

    assert (answer.head, answer.body) == (b"h", BIG)


async def test_others_call_ours_in_json(peer, service, last_router):
    body = {"text": "ä", "numbers": [1, 2]}

    answer = await peer.call_async(
        last_router, service.name, "json-echo", scheme="json", head={}, body=body
    )

    assert (answer.ok, answer.body) == (True, body)


async def test_others_see_a_name_that_nobody_advertised_as_declined(
    peer, last_router, service_name
):
    with pytest.raises(CallError) as caught:
        await peer.call_async(last_router, service_name, "echo")

    assert caught.value.code == 4


async def test_others_and_tcurl_call_our_thrift_by_name(peer, service, last_router):
    module = thrift.load(KEYVALUE)

    @service.thrift.register(module.KeyValue)
    def getValue(request):
        if request.body.key != "hello":
            raise module.NotFound(key=request.body.key)
        return "world"

    options = {"scheme": "thrift", "body": {"key": "hello"}}
    answer = await peer.call_async(last_router, service.name, "KeyValue::getValue", **options)
    missing = await tcurl_async(
        last_router, service.name, "KeyValue::getValue", idl=KEYVALUE, body='{"key": "none"}'
    )

    assert answer.body == "world"
    assert missing.output["body"]["key"] == "none", missing


async def test_tcurl_calls_ours_by_name(service, last_router):
    result = await tcurl_async(last_router, service.name, "json-echo", body='{"x": [1]}')

    assert result.output["body"] == {"x": [1]}


async def test_tcurl_finds_ours_healthy(service, last_router):
    result = await tcurl_async(last_router, service.name, health=True)

    assert result.code == 0, result.errors
    assert "OK" in str(result.output)


async def test_tcurl_finds_the_router_itself_healthy(last_router):
    result = await tcurl_async(last_router, "hyperbahn", health=True)

    assert result.code == 0, result.errors


# -- others as services ---------------------------------------------------------------------------


@pytest.fixture(params=["node4", "node3", "py21"])
async def other(request, start_peer, first_router, service_name, network):
    """Another implementation's service, advertised."""
    peer = start_peer(request.param, f"{service_name}-{len(network.hostports)}"[-60:])
    # In a thread: tchannel-python waits up to 5 s before its first advertisement.
    await asyncio.to_thread(peer.advertise, [first_router])
    return peer


async def test_ours_calls_others_by_name(other, client):
    response = await client.raw(other.service, "echo", BIG, b"head")

    assert (response.body, response.headers) == (BIG, b"head")


async def test_ours_calls_thrift_of_others_by_name(other, client):
    module = thrift.load(KEYVALUE, service=other.service)

    response = await client.thrift(module.KeyValue.getValue("hello"))
    with pytest.raises(module.NotFound):
        await client.thrift(module.KeyValue.getValue("no such key"))

    assert response.body == "world"


async def test_ours_shares_a_name_with_others(other, make_service, client, first_router):
    ours = make_service(other.service)
    await ours.advertise(routers=[first_router])

    async def bodies():
        calls = [client.raw(other.service, "echo", str(n)) for n in range(30)]
        return [response.body for response in await asyncio.gather(*calls)]

    for _ in range(3):
        assert await bodies() == [str(n).encode() for n in range(30)]


# -- discovery ------------------------------------------------------------------------------------


async def test_discovery_finds_the_address(service, client, last_router):
    assert await discover(client, service.name) == [service.hostport]
    assert await discover(client, service.name, [last_router]) == [service.hostport]


async def test_discovery_of_an_unknown_name_is_the_declared_exception(client, service_name):
    with pytest.raises(NoPeersAvailable, match="no peer available") as caught:
        await discover(client, service_name)

    assert caught.value.service == service_name
