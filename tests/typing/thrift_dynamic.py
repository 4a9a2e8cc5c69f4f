"""What users write with a Thrift file that has no stub, for mypy and pyright: both must accept it.

What only the IDL knows is Any to them; what the library itself knows is not.
"""

from types import ModuleType
from typing import Any, assert_type

from tchannel import PendingCall, Request, Response, TChannel, thrift, thrift_request_builder
from tchannel.health import HealthStatus, Meta
from tchannel.thrift import ThriftRequest, client_for
from tchannel_thrift import rw
from tchannel_thrift.loading import TChannelThriftModule
from tchannel_thrift.request import RequestBuilder

keyvalue = thrift.load("keyvalue.thrift", service="keyvalue-server")
KeyValueClient = client_for("keyvalue-server", keyvalue)


async def calls(channel: TChannel, request: ThriftRequest) -> str:
    assert_type(keyvalue, TChannelThriftModule)
    item = keyvalue.Item(value="value", expires=5)
    await channel.thrift(keyvalue.KeyValue.putItem("key", item), {"trace": "1"}, timeout=1)
    assert_type(channel.thrift(request), PendingCall[Response[Any, dict[str, str]]])
    print((await channel.thrift(request)).body.expires)
    try:
        response = await channel.thrift(keyvalue.KeyValue.getItem("key"))
    except keyvalue.NotFound as error:
        return str(error)
    value: str = response.body.value
    return value


async def clients(channel: TChannel) -> str:
    client = KeyValueClient(channel, hostport="127.0.0.1:4040", protocol_headers={"cn": "me"})
    value: str = (await client.getItem("key")).value
    builder = thrift_request_builder("keyvalue-server", keyvalue, thrift_class_name="KeyValue")
    assert_type(builder, RequestBuilder)
    await channel.thrift(builder.getItem("key"))
    thrift_request_builder("keyvalue-server")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    return value


def serving(channel: TChannel) -> None:
    @channel.thrift.register(keyvalue.KeyValue)
    async def getItem(request: Request) -> object:
        return keyvalue.Item(value=request.body.key, expires=len(request.headers))

    @channel.thrift.register(Meta)
    def health(request: object) -> object:
        return HealthStatus(ok=True)

    channel.thrift.register(keyvalue, getItem, "getItem", service="KeyValue")
    channel.thrift.register(keyvalue, getItem, 5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def the_engine_alone() -> str:
    module = rw.load("keyvalue.thrift")
    assert_type(module, ModuleType)
    item = module.loads(module.Item, module.dumps(module.Item("value")))
    value: str = item.value
    return value
