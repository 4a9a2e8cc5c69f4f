"""Thrift clients for plain threads, on a stand-in for the Thrift layer."""

import asyncio
import sys
from types import ModuleType
from typing import Any

import pytest

from tchannel import sync
from tchannel.sync import client
from tchannel.sync import thrift as sync_thrift


class AsyncClient:
    """What the Thrift layer makes for an async channel."""

    def __init__(self, tchannel: Any, hostport: Any, trace: Any, protocol_headers: Any) -> None:
        self.arguments = (tchannel, hostport, trace, protocol_headers)

    async def getValue(self, key: str) -> str:
        await asyncio.sleep(0)
        return f"value of {key}"


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    layer = ModuleType("tchannel_thrift")
    layer.calls = []  # type: ignore[attr-defined] # a module made by hand

    def client_for(*args: Any) -> type[AsyncClient]:
        layer.calls.append(args)  # type: ignore[attr-defined] # as above
        return AsyncClient

    layer.client_for = client_for  # type: ignore[attr-defined] # as above
    monkeypatch.setitem(sys.modules, "tchannel_thrift", layer)
    return layer


def test_methods_return_futures_of_the_bare_result(layer: Any, channel: client.TChannel) -> None:
    key_value = ModuleType("KeyValue")
    client_class = sync.client_for("keyvalue", key_value)
    assert layer.calls == [("keyvalue", key_value, None)]
    client = client_class(channel, hostport="h:1", trace=True, protocol_headers={"a": "b"})
    assert client.getValue("x").result(10) == "value of x"
    assert client.getValue(key="y").result(10) == "value of y"
    assert client.arguments == (channel.channel, "h:1", True, {"a": "b"})
    assert "getValue" in dir(client)


def test_unknown_methods_are_attribute_errors(layer: Any, channel: client.TChannel) -> None:
    client = sync_thrift.client_for("keyvalue", ModuleType("KeyValue"), "KeyValue")(channel)
    with pytest.raises(AttributeError, match="getvalue"):
        client.getvalue("x")
    with pytest.raises(AttributeError, match="_getvalue"):
        client._getvalue  # noqa: B018 - reading it is the test


def test_an_async_channel_is_refused(layer: Any) -> None:
    client_class = sync.client_for("keyvalue", ModuleType("KeyValue"))
    with pytest.raises(TypeError, match=r"must be a tchannel\.sync\.TChannel"):
        client_class(object())


def test_without_the_thrift_layer_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tchannel_thrift", None)
    with pytest.raises(ModuleNotFoundError, match="pip install tchannel-thrift"):
        sync.client_for("keyvalue", ModuleType("KeyValue"))
