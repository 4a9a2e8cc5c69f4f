"""What a handler's request is beyond the call: copies of it, and the headers that are not its own."""

import asyncio
import concurrent.futures
import copy
import multiprocessing
import pickle

import pytest

from tchannel import Request, Response

FIELDS = ("body", "headers", "endpoint", "service", "timeout")


@pytest.fixture
async def request_of(tcp):
    """A function that makes a json call, and returns the request as its handler saw it."""
    server = tcp("server", hostport="127.0.0.1:0")
    seen = []

    @server.json.register
    def endpoint(request):
        seen.append(request)
        return Response({}, headers=request.headers)

    server.listen()
    client = tcp("client")

    async def call(headers=None):
        answer = await client.json(
            "server", "endpoint", {"k": [1]}, headers, hostport=server.hostport, shard_key="s"
        )
        return seen[-1], answer

    return call


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda request: pickle.loads(pickle.dumps(request))]
)
async def test_a_request_may_be_copied_and_pickled(request_of, copied):
    request, _ = await request_of({"a": "b", "$tracing$id": "1:2"})

    twin = copied(request)

    assert type(twin) is Request
    for name in FIELDS:
        assert getattr(twin, name) == getattr(request, name)
    assert twin.transport.to_dict() == request.transport.to_dict()
    assert twin.transport.peer == request.transport.peer
    assert twin.tracing_headers == {"id": "1:2"}


async def test_a_handler_may_hand_its_request_to_a_process_pool(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:

        @server.json.register
        async def endpoint(request):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, repr, request)

        server.listen()
        client = tcp("client")
        answer = await client.json("server", "endpoint", hostport=server.hostport)

    assert answer.body == "Request(service='server', endpoint='endpoint')"


async def test_tracing_headers_are_a_field_of_their_own(request_of):
    request, answer = await request_of({"a": "b", "$tracing$uber-trace-id": "1:2:0:1"})

    assert request.headers == {"a": "b"}
    assert request.tracing_headers == {"uber-trace-id": "1:2:0:1"}
    assert answer.headers == {"a": "b"}  # nothing of it goes back


async def test_most_requests_have_no_tracing_headers(request_of):
    request, _ = await request_of({"a": "$tracing$"})
    assert request.headers == {"a": "$tracing$"}
    assert request.tracing_headers == {}
    assert Request().tracing_headers == {}


async def test_tracing_headers_of_raw_calls_with_string_headers(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    seen = []
    server.raw.register("e", seen.append, string_headers=True)
    server.listen()
    headers = {"$tracing$x": "y", "a": "b"}
    await tcp("client").raw(
        "server", "e", headers=headers, hostport=server.hostport, string_headers=True
    )
    assert (seen[0].headers, seen[0].tracing_headers) == ({"a": "b"}, {"x": "y"})
