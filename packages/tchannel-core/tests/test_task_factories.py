"""Whatever task factory the loop has: eager tasks, and factories that take ``(loop, coroutine)`` alone."""

import asyncio
import contextlib
import sys

import pytest

from tchannel import errors
from tchannel._ground.tasks import start_task

EAGER = pytest.param(
    "eager",
    marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks begin with 3.12"),
)


@pytest.fixture(params=[EAGER, "bare"])
def task_factory(request):
    """A context in which the loop has another task factory than its own."""

    @contextlib.contextmanager
    def with_factory():
        loop = asyncio.get_running_loop()
        if request.param == "eager":
            if sys.version_info >= (3, 13) and type(loop).__module__.startswith("uvloop"):
                pytest.skip("uvloop itself refuses eager tasks on 3.13")
            loop.set_task_factory(asyncio.eager_task_factory)
        else:
            loop.set_task_factory(lambda loop, coroutine: asyncio.Task(coroutine, loop=loop))
        try:
            yield
        finally:
            loop.set_task_factory(None)

    return with_factory


async def chunks():
    yield b"a"
    yield b"b"


async def whole(body):
    return b"".join([chunk async for chunk in body])


async def test_calls_of_every_kind_are_served_and_answered(tcp, task_factory):
    server = tcp("server", hostport="127.0.0.1:0")

    @server.raw.register
    def plain(request):
        return request.body

    @server.raw.register
    async def waiting(request):
        await asyncio.sleep(0)
        return request.body

    @server.raw.register
    async def nested(request):
        return (await server.raw("server", "waiting", b"n", hostport=server.hostport)).body

    @server.raw.register
    async def streamed(request):
        yield request.body
        yield b"!"

    server.listen()
    client = tcp("client", known_peers=[server.hostport])

    with task_factory():
        for endpoint in ("plain", "waiting"):
            assert (await client.raw("server", endpoint, b"x")).body == b"x"
        assert (await client.raw("server", "nested")).body == b"n"
        assert (await client.raw("server", "plain", chunks())).body == b"ab"
        answer = await client.raw("server", "streamed", b"x", stream=True)
        assert await whole(answer.body) == b"x!"


async def test_a_peer_that_fails_without_waiting_is_tried_again(tcp, task_factory):
    client = tcp("client", known_peers=["255.255.255.255:1"])
    for _ in range(2):
        with task_factory(), pytest.raises(errors.NoAvailablePeerError, match="cannot connect"):
            await client.raw("server", "e", retry_limit=1)


async def test_hooks_and_interceptors_that_wait_work(tcp, task_factory):
    server = tcp("server", hostport="127.0.0.1:0")
    seen = []

    @server.hooks.before_receive_request
    async def hook(request):
        await asyncio.sleep(0)
        seen.append(request.endpoint)

    async def interceptor(call, proceed):
        await asyncio.sleep(0)
        return await proceed(call)

    server.raw.register("e", lambda request: b"ok")
    server.listen()
    client = tcp("client", interceptors=[interceptor])

    with task_factory():
        assert (await client.raw("server", "e", hostport=server.hostport)).body == b"ok"
        await asyncio.sleep(0.01)
    assert seen == ["e"]


async def test_a_task_of_our_own_never_runs_before_its_maker_knows_of_it():
    loop = asyncio.get_running_loop()
    began = []

    async def work():
        began.append(True)
        return 5

    task = start_task(loop, work())
    assert began == []
    assert await task == 5
