"""What callers hold of a call: a Future, and a coroutine where one is asked for."""

import asyncio
import collections.abc
import sys

import anyio
import pytest
from tornado import gen

from tchannel import PendingCall, TChannel, errors, interceptors
from tchannel.event import EventType
from tchannel.lowlevel import inside


async def slow_hook(headers, service):
    await asyncio.sleep(0)


KINDS = ["plain", "intercepted", "watched"]


@pytest.fixture(params=KINDS)
def call(request, joined):
    """Make a call, of each kind of object that callers get."""

    @joined.server.raw.register
    async def echo(request):
        return request.body

    @joined.server.raw.register
    async def hang(request):
        await asyncio.Future()

    if request.param == "intercepted":

        async def pass_on(call, proceed):
            return await proceed(call)

        joined.client.interceptors.outgoing.append(pass_on)
    if request.param == "watched":
        joined.client.hooks.register(slow_hook, EventType.before_serialize_request_headers)
    return lambda endpoint="echo", **kwargs: joined.client.raw(
        "server", endpoint, b"x", hostport=joined.hostport, **kwargs
    )


async def test_a_call_is_a_future_and_becomes_a_coroutine_where_one_is_asked_for(call):
    made = call()

    assert isinstance(made, asyncio.Future)
    assert isinstance(made, PendingCall)
    assert not isinstance(made, collections.abc.Coroutine)
    coroutine = made.coroutine()
    assert isinstance(coroutine, collections.abc.Coroutine)
    assert asyncio.iscoroutine(coroutine)
    assert (await coroutine).body == (await made).body == b"x"


async def in_a_task(made):
    return await asyncio.create_task(made.coroutine())


async def in_a_group(made):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.coroutine())
    return task.result()


async def in_an_anyio_group(made):
    got = []

    async def take(call):
        got.append(await call)

    async with anyio.create_task_group() as group:
        group.start_soon(take, made)
    return got[0]


async def within_a_timeout(made):
    async with asyncio.timeout(10):
        return await made


async def gathered(made):
    return (await asyncio.gather(made))[0]


async def shielded(made):
    return await asyncio.shield(made)


async def waited_for(made):
    return await asyncio.wait_for(made, 10)


async def waited_for_among_others(made):
    done, _ = await asyncio.wait({made}, return_when=asyncio.FIRST_COMPLETED)
    return done.pop().result()


async def as_they_come(made):
    for first in asyncio.as_completed([made]):
        return await first


async def in_a_thread_safe_way(made):
    return await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(made.coroutine(), asyncio.get_running_loop())
    )


async def as_a_step_of_tornado(made):
    @gen.coroutine
    def step():
        response = yield made
        raise gen.Return(response)

    return await step()


WAYS = [
    in_a_task, in_a_group, in_an_anyio_group, within_a_timeout, gathered, shielded, waited_for,
    waited_for_among_others, as_they_come, in_a_thread_safe_way, as_a_step_of_tornado,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_wait_takes_a_call(call, way):
    assert (await way(call())).body == b"x"


@pytest.mark.parametrize("way", [in_a_task, in_a_group, gathered, waited_for])
async def test_errors_come_the_same_way(call, way):
    with pytest.raises((errors.BadRequestError, ExceptionGroup)) as caught:
        await way(call("nothing"))

    error = caught.value
    while isinstance(error, ExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, errors.BadRequestError)


async def test_anyio_starts_the_scheme_itself(joined):
    seen = []
    joined.server.raw.register("note", lambda request: seen.append(request.body))
    async with anyio.create_task_group() as group:
        group.start_soon(
            lambda: joined.client.raw("server", "note", b"x", hostport=joined.hostport).coroutine()
        )

    assert seen == [b"x"]


async def test_cancelling_the_task_cancels_the_call(call, joined):
    made = call("hang")
    task = asyncio.create_task(made.coroutine())
    await joined.advance(0)
    task.cancel()
    await joined.advance(0)

    assert task.cancelled()
    assert made.cancelled()
    assert not inside(joined.server).incoming_calls


async def test_a_task_that_is_cancelled_before_it_begins_cancels_the_call_too(call, joined):
    made = call("hang")
    task = asyncio.create_task(made.coroutine())
    task.cancel()
    await joined.advance(0)

    assert task.cancelled()
    assert made.cancelled()


async def test_a_group_that_fails_cancels_its_calls(call):
    made = call("hang")

    async def fail():
        raise KeyError("x")

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(made.coroutine())
            group.create_task(fail())

    assert made.cancelled()


async def test_closing_a_call_cancels_it(call, joined):
    made = call("hang")
    await joined.advance(0)
    made.coroutine().close()

    assert made.cancelled()


async def test_throwing_into_a_call_ends_it_with_that_error(call):
    for thrown in [(KeyError("x"),), (KeyError, "x"), (KeyError, KeyError("x"), None), (KeyError,)]:
        made = call("hang")
        with pytest.raises(KeyError):
            made.coroutine().throw(*thrown)
        assert made.cancelled()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks begin with 3.12")
async def test_an_eager_task_takes_a_call(call):
    loop = asyncio.get_running_loop()
    task = asyncio.Task(call().coroutine(), loop=loop, eager_start=True)

    assert (await task).body == b"x"


def test_a_coroutine_that_makes_the_call_is_the_way_from_another_thread():
    async def main():
        server = TChannel("server", hostport="127.0.0.1:0")
        server.raw.register("echo", lambda request: request.body)
        server.listen()
        client, loop = TChannel("client"), asyncio.get_running_loop()

        async def make():
            return await client.raw("server", "echo", b"x", hostport=server.hostport)

        def elsewhere():
            return asyncio.run_coroutine_threadsafe(make(), loop).result(10)

        async with server, client:
            return await asyncio.to_thread(elsewhere)

    assert asyncio.run(main()).body == b"x"


# -- a forgotten await ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["body", "headers", "status", "transport"])
async def test_what_belongs_to_the_response_says_await_it(call, name):
    made = call()
    with pytest.raises(AttributeError, match=rf"await it first.*\.{name}") as caught:
        getattr(made, name)

    assert caught.value.name == name
    assert not hasattr(made, name)
    getattr(await made, name)


@pytest.mark.parametrize("key", ["a", 0])
async def test_a_call_taken_for_its_body_says_await_it(call, key):
    made = call()
    with pytest.raises(TypeError, match=rf"await it first.*\.body\[{key!r}\]"):
        made[key]

    await made


async def test_a_call_that_is_iterated_over_says_await(call):
    made = call()
    with pytest.raises(RuntimeError, match="await"):
        list(made)

    await asyncio.wait([made])


async def test_completion_shows_what_a_future_has(call):
    made = call()
    shown = {name for name in dir(made) if not name.startswith("_")}
    await made

    assert shown == {
        *(name for name in dir(asyncio.Future) if not name.startswith("_")),
        "coroutine",
    }


async def test_completion_shows_the_api_of_a_channel(joined):
    shown = {name for name in dir(joined.client) if not name.startswith("_")}

    assert shown == {
        *("FALLBACK", "add_endpoint", "advertise", "authorize", "call", "clock", "close"),
        *("expose_errors", "fallback", "hooks", "host", "hostport", "interceptors", "is_closed"),
        *(
            "endpoints",
            "is_listening",
            "json",
            "listen",
            "loop",
            "name",
            "on_close",
            "options",
            "peers",
            "port",
        ),
        *(
            "json_codec",
            "process_name",
            "raw",
            "register",
            "register_service",
            "reload_tls",
            "scheme",
            "state",
        ),
        *("serve_until_signal", "server_name", "service", "ssl_client", "ssl_permissive"),
        *("ssl_server", "start_call", "stats", "thrift", "trace", "unadvertise", "use_loop"),
    }, "what is no part of the API belongs into InnerChannel"


async def test_an_interceptor_that_answers_gives_a_call_too(joined):
    joined.client.interceptors.outgoing.append(
        lambda call, proceed: interceptors.Reply(0, b"", b"mine")
    )
    task = asyncio.create_task(joined.client.raw("server", "echo").coroutine())

    assert (await task).body == b"mine"
