"""Exceptions whose ``__setattr__`` raises: every way that one takes leaves it unharmed."""

import asyncio
import sys
from contextlib import contextmanager

import pytest
from tornado import gen

import tchannel.sync
from tchannel import TChannel, thrift
from tchannel.errors import UnexpectedError
from tchannel.event import EventType


@pytest.fixture(params=["apache_dynamic", "apache_plain"])
def kind(request, load_kind):
    return load_kind(request.param)


@pytest.fixture
def missing(server, kind):
    """Let getValue find nothing; returns a request for it."""

    @server.thrift.register(kind.service)
    def getValue(request):
        raise kind.types.NotFound(request.body.key)

    return kind.request("getValue", "a")


def test_they_are_frozen_indeed(kind):
    with pytest.raises(TypeError, match="can't modify immutable instance"):
        kind.types.NotFound("a").key = "b"


async def test_handlers_of_every_sort_raise_them(server, client, kind):
    async def coroutine(request):
        await asyncio.sleep(0)
        raise kind.types.NotFound("async def")

    @gen.coroutine
    def tornado(request):
        yield gen.sleep(0)
        raise kind.types.NotFound("gen.coroutine")

    def future(request):
        made = asyncio.get_running_loop().create_future()
        made.set_exception(kind.types.NotFound("future"))
        return made

    for handler, key in ((coroutine, "async def"), (tornado, "gen.coroutine"), (future, "future")):
        server.thrift.register(kind.service, handler, "getValue")
        with pytest.raises(kind.types.NotFound) as caught:
            await client.thrift(kind.request("getValue", "a"))
        assert caught.value.key == key


@pytest.mark.skipif(
    sys.implementation.name != "cpython",
    reason="PyPy sets the context of exceptions by __setattr__, which these refuse",
)
async def test_raising_them_from_another_error_keeps_them(server, client, kind):
    @server.thrift.register(kind.service)
    async def getValue(request):
        try:
            {}[request.body.key]
        except KeyError as error:
            raise kind.types.NotFound(request.body.key) from error

    with pytest.raises(kind.types.NotFound):
        await client.thrift(kind.request("getValue", "a"))


async def test_a_tornado_coroutine_catches_them(client, kind, missing):
    @gen.coroutine
    def run():
        try:
            yield client.thrift(missing)
        except kind.types.NotFound as error:
            raise gen.Return(error.key)

    assert await run() == "a"


async def test_interceptors_of_every_sort_let_them_through(server, client, kind, missing):
    async def coroutine(call, proceed):
        try:
            return await proceed(call)
        finally:
            await asyncio.sleep(0)

    for interceptors in (server.interceptors.incoming, client.interceptors.outgoing):
        interceptors.extend([coroutine, lambda call, proceed: proceed(call)])

    with pytest.raises(kind.types.NotFound) as caught:
        await client.thrift(missing)
    assert caught.value.key == "a"


async def test_cassettes_record_and_replay_them(server, client, kind, missing, tmp_path):
    vcr = pytest.importorskip("tchannel_testing.vcr", reason="tchannel-testing is not installed")

    for _ in ("recorded", "replayed"):
        with (
            vcr.use_cassette(tmp_path / "cassette.yaml"),
            pytest.raises(kind.types.NotFound) as got,
        ):
            await client.thrift(missing)
        assert got.value.key == "a"
        await server.close()


async def test_hooks_see_them(client, kind, missing):
    seen = []
    client.hooks.register(
        lambda request, response: seen.append(response.body), EventType.after_receive_response
    )

    with pytest.raises(kind.types.NotFound):
        await client.thrift(missing)
    assert [error.key for error in seen] == ["a"]


async def test_they_cross_tasks_timeouts_and_groups(client, kind, missing):
    async with asyncio.timeout(5):
        with pytest.raises(kind.types.NotFound):
            await asyncio.wait_for(client.thrift(missing), 5)
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.wait_for(client.thrift(missing), 5))
    assert [error.key for error in caught.value.exceptions] == ["a"]


async def test_a_channel_as_a_context_manager_lets_them_through(server, kind, missing):
    with pytest.raises(kind.types.NotFound):
        async with TChannel("client") as channel:
            await channel.thrift(missing, hostport=server.hostport)


async def test_plain_threads_get_them(server, kind, missing):
    def talk():
        with tchannel.sync.TChannel("plain", known_peers=[server.hostport]) as channel:
            store = tchannel.sync.client_for("keyvalue", kind.service)(channel)
            with pytest.raises(kind.types.NotFound):
                store.getValue("a").result(10)
            with pytest.raises(kind.types.NotFound):
                channel.thrift(missing).result(10)

    await asyncio.to_thread(talk)


async def test_clients_of_methods_give_them(client, kind, missing):
    with pytest.raises(kind.types.NotFound):
        await thrift.client_for("keyvalue", kind.service)(client).getValue("a")


async def test_a_generator_as_a_context_manager_in_a_handler_breaks_them(server, client, kind):
    # contextlib sets `__traceback__`, and only the application can keep that off its own path.
    @contextmanager
    def transaction():
        yield

    @server.thrift.register(kind.service)
    def getValue(request):
        with transaction():
            raise kind.types.NotFound("a")

    with pytest.raises(UnexpectedError, match="can't modify immutable instance"):
        await client.thrift(kind.request("getValue", "a"))
