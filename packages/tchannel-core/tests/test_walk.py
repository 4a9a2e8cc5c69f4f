"""The way of a small call: how many Python functions it runs through, see docs/inside.md."""

import asyncio
import sys

import pytest

from tchannel import Response, TChannel


async def stops_of_one_call():
    """The functions of ours that one warm call on loopback runs, at both ends."""
    server = TChannel("walk", hostport="127.0.0.1:0")

    @server.raw.register
    async def echo(request):
        return Response(request.body, request.headers)

    server.listen()
    client = TChannel("client", known_peers=[server.hostport])
    for _ in range(3):
        await client.raw("walk", "echo", bytes(16))
    for _ in range(30):
        await asyncio.sleep(0)
    fewest = None
    # On a busy machine a timer, of the connection's keepalive say, may fire in the middle of one.
    for _ in range(3):
        stops = []

        def note(frame, event, argument, stops=stops):
            if event == "call" and frame.f_globals["__name__"].startswith("tchannel"):
                stops.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            await client.raw("walk", "echo", bytes(16))
        finally:
            sys.setprofile(before)
        if fewest is None or len(stops) < len(fewest):
            fewest = stops
    await client.close()
    await server.close()
    return fewest


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="PyPy does not count the same stops"
)
async def test_a_small_call_makes_no_more_stops_than_it_did():
    stops = await stops_of_one_call()

    assert len(stops) <= 52, stops
    assert stops[0] == "tchannel.schemes.raw.__call__"
