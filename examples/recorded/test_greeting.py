"""Tests of a client, with recordings of the service that it calls: no service is needed to run them.

    pytest examples/recorded

To record anew, start the service and run `pytest --tchannel-record-mode=all examples/recorded`.
"""

import asyncio

from tchannel import TChannel
from tchannel.testing import vcr

CASSETTE = "cassettes/greeting.yaml"


async def greeting(name: str) -> str:
    """What is tested: a client of the service "greeter"."""
    async with TChannel("web", known_peers=["127.0.0.1:4040"]) as client:
        response = await client.json("greeter", "greet", {"name": name})
        return response.body["text"] if response.status == 0 else "Hello, stranger"


def play(name, folder):
    with vcr.use_cassette(str(folder / CASSETTE), record_mode="none"):
        return asyncio.run(greeting(name))


def test_a_name_is_greeted(request):
    assert play("Ada", request.path.parent) == "Hello, Ada"


def test_who_the_service_does_not_know_is_a_stranger(request):
    assert play("", request.path.parent) == "Hello, stranger"
