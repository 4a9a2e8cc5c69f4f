"""A client that only calls: through routers by name, without listening or advertising."""


async def test_routers_as_known_peers_are_enough_to_call_by_name(serve, router, make_channel):
    await serve("keyvalue")
    client = make_channel("client", known_peers=[router.hostport])

    response = await client.raw("keyvalue", "echo", b"x")

    assert response.body == b"x"
    assert not client.is_listening()


async def test_who_advertises_listens_by_itself(router, make_channel):
    service = make_channel("service")
    await service.advertise([router.hostport])

    assert service.is_listening()
