"""What users write against tchannel-yarpc, for mypy and pyright: both must accept it as it stands."""

import asyncio
from typing import Any, assert_type

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from tchannel import Request as ChannelRequest
from tchannel import Response, TChannel
from tchannel_yarpc import (
    ApplicationError,
    Code,
    Headers,
    NotFoundError,
    Request,
    Yarpc,
    YarpcCall,
    YarpcError,
)
from tchannel_yarpc.grpc import GrpcChannel


async def calls(channel: TChannel) -> None:
    yarpc = Yarpc(channel)
    call = yarpc.json("service", "procedure", {"a": 1}, {"k": "v"}, timeout=1, routing_key="canary")
    assert_type(call, YarpcCall[Response])
    assert_type(await call, Response)
    assert_type(await yarpc.raw("service", "procedure", b"body", Headers({"a": "b"})), Response)
    future: asyncio.Future[Response] = yarpc.raw("service", "procedure", "text", retry_on="c")
    await future
    await Yarpc(channel.service("part")).raw("service", "procedure")
    yarpc.raw("service", "procedure", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    yarpc.json("service", "procedure", timout=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Yarpc("channel")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class EchoHandlers:
    def Say(self, request: Request) -> Message:
        raise NotFoundError("gone")


async def proto(channel: TChannel, descriptor: ServiceDescriptor, message: Message) -> None:
    yarpc = Yarpc(channel)
    echo = yarpc.proto(descriptor, "service", timeout=3)
    assert_type(await echo.Say(message, {"token": "t"}), Response)
    yarpc.grpc_channel("service", timeout=1)
    yarpc.grpc_channel("service", timout=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    say = GrpcChannel(channel, "service", {}).unary_unary("/d.Echo/Say", str.encode, bytes.decode)
    assert_type(await say("text", timeout=1, metadata=[("k", "v")]), str)
    say(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    @yarpc.proto.register(descriptor)
    def Say(request: Request) -> Message:
        return message

    assert_type(Say(Request(ChannelRequest(), "proto")), Message)
    assert_type(yarpc.proto.register(descriptor, EchoHandlers()), EchoHandlers)


def handlers(channel: TChannel) -> None:
    yarpc = Yarpc(channel)

    @yarpc.json.register
    async def named_after_the_function(request: Request) -> dict[str, str]:
        assert_type(request.procedure, str)
        assert_type(request.caller_procedure, str | None)
        return {"text": request.body["text"]}

    assert_type(
        asyncio.run(named_after_the_function(Request(ChannelRequest(), "json"))), dict[str, str]
    )

    @yarpc.raw.register("name")
    def of_any_request(request: ChannelRequest) -> bytes:
        return b""

    assert_type(of_any_request(ChannelRequest()), bytes)
    yarpc.raw.register("other", lambda request: request.body)
    yarpc.raw.register(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


def errors(error: YarpcError, exception: Exception) -> None:
    assert_type(error.code, Code)
    assert_type(error.code.text, str)
    assert_type(error.message, str)
    assert_type(error.service, str | None)
    said = ApplicationError.of(exception)
    if said is not None:
        assert_type(said.code, Code | None)
    body: Any = NotFoundError("gone", details="d", headers={"a": "b"}, body=b"x").body
    assert_type(body, Any)
