"""What users write with the stub of a Thrift file, for mypy and pyright: calls, handlers, errors.

As in `core`: a line that must be refused carries the ignore that would be an error if it were accepted.
"""

from typing import TYPE_CHECKING, assert_type

from tchannel import Response, TChannel, thrift
from tchannel.thrift import ThriftRequest

# What `thrift.load` gives has no type of its own: a function cannot return a module that is known. To
# checkers the module is the stub's, then.
if TYPE_CHECKING:
    import keyvalue  # pyright: ignore[reportMissingModuleSource]
else:
    keyvalue = thrift.load("keyvalue.thrift", service="keyvalue-server")


async def calls(channel: TChannel) -> str:
    request = keyvalue.KeyValue.getItem("key")
    assert_type(request, ThriftRequest[keyvalue.Item])
    response = await channel.thrift(request, {"trace": "1"}, timeout=1)
    assert_type(response, Response[keyvalue.Item, dict[str, str]])
    assert_type(response.body.expires, int | None)
    assert_type((await channel.thrift(keyvalue.KeyValue.ok())).body, bool)
    nothing = await channel.thrift(keyvalue.KeyValue.putItem("key", keyvalue.Item("value")))
    assert_type(nothing.body, None)
    try:
        return (await channel.thrift(keyvalue.KeyValue.getItem("key"))).body.value
    except keyvalue.NotFound as error:
        return error.key


async def wrong_calls(channel: TChannel) -> None:
    keyvalue.KeyValue.getItem(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    keyvalue.KeyValue.getItem()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    keyvalue.KeyValue.getitem("key")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    keyvalue.Item(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    response = await channel.thrift(keyvalue.KeyValue.getItem("key"))
    print(response.body.valeu)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


class Handlers:
    """Sync or async, with or without a Response around the result."""

    async def ok(self, request: keyvalue.Health_ok_Request) -> bool:
        return True

    def getItem(self, request: keyvalue.KeyValue_getItem_Request) -> keyvalue.Item:
        assert_type(request.body.key, str)
        assert_type(request.headers, dict[str, str])
        raise keyvalue.NotFound(request.body.key)

    async def putItem(self, request: keyvalue.KeyValue_putItem_Request) -> Response[None]:
        assert_type(request.body.item.value, str)
        return Response(headers={"stored": "yes"})


class Inherited(keyvalue.KeyValueHandlers):
    """The error stands at the method that is wrong, if the class says what it serves."""

    def ok(self, request: keyvalue.Health_ok_Request) -> bool:
        return True

    async def getItem(self, request: keyvalue.KeyValue_getItem_Request) -> keyvalue.Item:
        return keyvalue.Item("value")

    def putItem(self, request: keyvalue.KeyValue_putItem_Request) -> None: ...


def serving(channel: TChannel) -> None:
    assert_type(channel.thrift.register(keyvalue.KeyValue, Handlers()), Handlers)
    assert_type(channel.service("other").thrift.register(keyvalue.KeyValue, Inherited()), Inherited)
    thrift.register(channel, keyvalue.KeyValue, Handlers())

    @channel.thrift.register(keyvalue.KeyValue)
    def getItem(request: keyvalue.KeyValue_getItem_Request) -> keyvalue.Item:
        return keyvalue.Item(request.body.key)

    channel.thrift.register(keyvalue.KeyValue, getItem, method="getItem")


class WrongName:
    def ok(self, request: keyvalue.Health_ok_Request) -> bool:
        return True

    def putItem(self, request: keyvalue.KeyValue_putItem_Request) -> None: ...

    def get_item(self, request: keyvalue.KeyValue_getItem_Request) -> keyvalue.Item:
        return keyvalue.Item("value")


class WrongResult:
    def ok(self, request: keyvalue.Health_ok_Request) -> bool:
        return True

    async def getItem(self, request: keyvalue.KeyValue_getItem_Request) -> str:
        return "value"

    def putItem(self, request: keyvalue.KeyValue_putItem_Request) -> None: ...


class WrongArgument:
    def ok(self, request: keyvalue.Health_ok_Request) -> bool:
        return True

    def getItem(self, request: keyvalue.KeyValue_putItem_Request) -> keyvalue.Item:
        return request.body.item

    def putItem(self, request: keyvalue.KeyValue_putItem_Request) -> None: ...


class WrongInherited(keyvalue.KeyValueHandlers):
    def getItem(self, request: keyvalue.KeyValue_getItem_Request) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return request.body.kye  # type: ignore[attr-defined,no-any-return]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]


def wrong_handlers(channel: TChannel) -> None:
    register = channel.thrift.register
    register(keyvalue.KeyValue, WrongName())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    register(keyvalue.KeyValue, WrongResult())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    register(keyvalue.KeyValue, WrongArgument())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    handlers: keyvalue.KeyValueHandlers = WrongName()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    handlers = WrongResult()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    handlers = WrongArgument()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    register(keyvalue.KeyValue, handlers)
    WrongInherited()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
    thrift.register(channel, keyvalue.KeyValue, WrongResult())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
