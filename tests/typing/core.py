"""What type checkers must infer from the core. Checked by mypy and pyright, never run."""

import asyncio
from typing import assert_type

from tchannel import Request, Response, TChannel, errors


async def a_channel_is_a_context_manager() -> None:
    async with TChannel("service") as channel:
        assert_type(channel, TChannel)
        channel.listen()
        assert_type(channel.hostport, str)
        assert_type(channel.is_listening(), bool)
        assert_type(channel.close(grace=1), asyncio.Future[None])


async def calls_give_responses(channel: TChannel) -> None:
    assert_type(await channel.raw("service", "endpoint", b"body"), Response)
    assert_type(await channel.json("service", "endpoint", {"a": [1]}), Response)


def handlers_keep_their_type(channel: TChannel) -> None:
    @channel.raw.register("plain")
    def plain(request: Request) -> bytes:
        return b"body"

    @channel.json.register
    async def coroutine(request: Request) -> Response:
        return Response({"a": 1})

    assert_type(plain(Request()), bytes)


def errors_tell_what_happened(error: errors.TChannelError) -> None:
    assert_type(error.code, int | None)
    assert_type(error.description, str | None)
