"""What users write against the core, for mypy and pyright: both must accept it as it stands.

`assert_type` holds what they see; a line that must be refused carries the ignore that would be
unused, and so an error, if it were accepted.
"""

import asyncio
import concurrent.futures
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, assert_type

import tchannel
from tchannel import Body, Options, PendingCall, Request, Response, TChannel, errors, retry, status
from tchannel import sync as tchannel_sync
from tchannel.interceptors import Call, Proceed, Reply
from tchannel.peer_sources import ListSource, PeerSource


async def a_channel_is_a_context_manager() -> None:
    async with TChannel("service") as channel:
        assert_type(channel, TChannel)
        channel.listen()
        assert_type(channel.hostport, str)
        assert_type(channel.is_listening(), bool)
        assert_type(channel.close(grace=1), asyncio.Future[None])


async def calls(channel: TChannel) -> None:
    assert_type(channel.raw("service", "endpoint"), PendingCall[Response[bytes, bytes]])
    assert_type(
        await channel.json("service", "endpoint", {"a": 1}, {"k": "v"}),
        Response[Any, dict[str, str]],
    )
    await channel.raw(
        "service",
        "endpoint",
        b"body",
        b"headers",
        timeout=timedelta(seconds=1),
        deadline=2.5,
        retry_on=retry.CONNECTION_ERROR_AND_TIMEOUT,
        retry_limit=0,
        hostport="127.0.0.1:4040",
        trace=lambda request: request.service == "service",
    )
    response = await channel.raw("service", "endpoint", body=chunks(), stream=True)
    assert_type(response.status, int)
    try:
        await channel.call("http", "service", "endpoint", b"", b"")
    except errors.TChannelError as error:
        assert_type(error.code, int | None)
    channel.raw("service", b"endpoint")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    channel.json("service", "endpoint", headers=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def chunks() -> AsyncIterator[bytes]:
    yield b"chunk"


def handlers(channel: TChannel) -> None:
    @channel.json.register
    async def named_after_the_function(request: Request) -> dict[str, str]:
        return {"caller": request.transport.caller_name or ""}

    @channel.raw.register("endpoint", stream=True)
    async def streamed(request: Request) -> AsyncIterator[bytes]:
        body: Body = request.body
        async for chunk in body:
            yield chunk

    @channel.raw.register(TChannel.FALLBACK)
    def anything(request: Request) -> Response:
        return Response(request.body, request.headers, status=status.FAILED)

    # A registered handler is itself, for tests that call it.
    assert_type(anything(Request(b"x")), Response)


def interceptor(call: Call, proceed: Proceed) -> "asyncio.Future[Reply] | Reply":
    if call.endpoint == "cached":
        return Reply(0, b"", b"from the cache")
    return asyncio.ensure_future(proceed(call))


def construction(context: ssl.SSLContext) -> None:
    source: PeerSource = ListSource(["127.0.0.1:4040"])
    TChannel("name", known_peers=["127.0.0.1:4040"], interceptors=[interceptor])
    TChannel("name", "127.0.0.1:0", known_peers=source, trace=0.1, ssl_server=context)
    TChannel("name", options=Options(max_message_size=1024, default_timeout=5))
    TChannel()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TChannel("name", nonsense=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def threads() -> None:
    with tchannel_sync.TChannel("name") as channel:
        future = channel.raw("service", "endpoint", b"body")
        waiting: concurrent.futures.Future[Response[bytes, bytes | dict[str, str]]] = future
        assert_type(waiting.result(), Response[bytes, bytes | dict[str, str]])


def errors_tell_what_happened(error: errors.TChannelError) -> None:
    assert_type(error.code, int | None)
    assert_type(error.description, str | None)


async def a_call_goes_where_a_coroutine_is_asked_for(channel: TChannel) -> None:
    task = asyncio.create_task(channel.raw("service", "endpoint").coroutine())
    assert_type(await task, Response[bytes, bytes])
    async with asyncio.TaskGroup() as group:
        of_group = group.create_task(channel.json("service", "endpoint").coroutine())
    assert_type(of_group.result(), Response[Any, dict[str, str]])
    both = await asyncio.gather(channel.raw("s", "a"), channel.raw("s", "b"))
    assert_type(both[1].body, bytes)


async def bodies_have_the_types_of_their_schemes(channel: TChannel, flag: bool) -> None:
    assert_type((await channel.raw("s", "e")).body, bytes)
    assert_type((await channel.raw("s", "e", stream=True)).body, Body)
    assert_type((await channel.raw("s", "e", stream=flag)).body, bytes | Body)
    assert_type((await channel.raw("s", "e", string_headers=True)).headers, dict[str, str])
    assert_type((await channel.call("raw", "s", "e", stream=True)).body, Body)
    assert_type((await channel.call("raw", "s", "e")).headers, bytes)


def a_forgotten_await_is_found(channel: TChannel) -> None:
    print(channel.raw("s", "e").body)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def typed_handlers(channel: TChannel) -> None:
    @channel.raw.register
    def echo(request: Request[bytes, bytes]) -> Response[bytes, bytes]:
        assert_type(request.body, bytes)
        return Response(request.body, request.headers)

    @channel.json.register
    async def greet(request: Request[dict[str, str], dict[str, str]]) -> Response[str]:
        assert_type(request.headers, dict[str, str])
        return Response("Hello, " + request.body["name"])


def names_that_do_not_exist_are_found() -> None:
    from tchannel import NoSuchThing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

    print(NoSuchThing)
    print(tchannel.nothing)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert_type(tchannel.thrift.load.__name__, str)
