"""A real service behind the cassettes, which counts what reaches it."""

import collections

import pytest

from tchannel import Response, TChannel, errors
from tchannel_testing import vcr


class Service:
    """A channel that serves ``echo``, ``fail``, ``greet`` and ``busy``, and counts calls."""

    def __init__(self):
        self.calls = collections.Counter()
        self.channel = TChannel("service", hostport="127.0.0.1:0")

        @self.channel.raw.register("echo")
        def echo(request):
            self.calls["echo"] += 1
            return Response(request.body, request.headers)

        @self.channel.raw.register("count")
        def count(request):
            self.calls["count"] += 1
            return str(self.calls["count"]).encode()

        @self.channel.raw.register("fail")
        def fail(request):
            self.calls["fail"] += 1
            return Response(b"sorry", status=1)

        @self.channel.json.register("greet")
        def greet(request):
            self.calls["greet"] += 1
            return Response({"hello": request.body["name"]}, {"language": "en"})

        @self.channel.raw.register("busy")
        def busy(request):
            self.calls["busy"] += 1
            if self.calls["busy"] == 1:
                raise errors.BusyError("come back later")
            return b"welcome"

        self.channel.listen()

    @property
    def hostport(self):
        return self.channel.hostport


@pytest.fixture
async def service():
    """The service, listening."""
    service = Service()
    async with service.channel:
        yield service


@pytest.fixture
async def client():
    """A channel to call with."""
    async with TChannel("client") as channel:
        yield channel


@pytest.fixture
def echo(client, service):
    """Calls ``echo`` of the service; the result is the body that came back."""

    async def call(body, headers=b"", **kwargs):
        response = await client.raw(
            "service", "echo", body, headers, hostport=service.hostport, **kwargs
        )
        return response.body

    return call


@pytest.fixture
def path(tmp_path):
    """Where a cassette of this test goes."""
    return tmp_path / "cassettes" / "cassette.yaml"


@pytest.fixture
async def recorded(path, echo, service):
    """A cassette with an echo of ``one`` and of ``two``; the service's counts start anew."""
    with vcr.use_cassette(path):
        await echo(b"one")
        await echo(b"two")
    service.calls.clear()
    return path
