"""Streamed answers that their caller drops instead of reading them."""

import asyncio
import gc
import warnings

import pytest

from tchannel.lowlevel import inside


@pytest.fixture
def endless(tcp):
    """A service whose ``endless`` streams until it is stopped, and a client of it."""
    server = tcp("server", hostport="127.0.0.1:0")
    stopped = asyncio.Event()

    @server.raw.register
    async def endless(request):
        try:
            while True:
                yield b"x" * 1000
        finally:
            stopped.set()

    server.raw.register("hi", lambda request: b"hi")
    server.listen()
    return tcp("client", known_peers=[server.hostport]), stopped


@pytest.mark.parametrize("how", ["dropped", "an error before it is read"])
async def test_an_answer_that_is_dropped_is_cancelled_with_a_warning(endless, how):
    client, stopped = endless

    async def use():
        response = await client.raw("server", "endless", stream=True, timeout=60)
        if how != "dropped":
            raise KeyError("a mistake of the caller")
        return response.status

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            await use()
        except KeyError as error:
            error.__traceback__ = None
        await asyncio.sleep(0)
        gc.collect()
        async with asyncio.timeout(10):
            await stopped.wait()
            assert (await client.raw("server", "hi", timeout=5)).body == b"hi"

    (text,) = [str(one.message) for one in caught if one.category is ResourceWarning]
    assert text.startswith("a streamed answer of 127.0.0.1:")
    assert [peer.pending for peer in inside(client).peers_table.peers.values()] == [0]


async def test_an_answer_whose_body_alone_is_kept_is_read_on(endless):
    client, stopped = endless
    body = (await client.raw("server", "endless", stream=True, timeout=60)).body
    gc.collect()
    async with asyncio.timeout(10):
        for _ in range(200):
            assert await anext(body)
    assert not stopped.is_set()
    await body.aclose()
    async with asyncio.timeout(10):
        await stopped.wait()
