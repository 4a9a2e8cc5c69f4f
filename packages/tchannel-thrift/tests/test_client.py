"""Clients whose methods are the functions of a service."""

import asyncio

import pytest
from tornado import gen

import tchannel.sync
import tchannel.sync.thrift
from tchannel import TChannel, thrift
from tchannel.errors import OneWayNotSupportedError, TChannelError
from tchannel_thrift import client_for


@pytest.fixture
def stored(server, kind):
    """Serve getValue and setValue; the dict that they work on."""
    values = {}

    @server.thrift.register(kind.service)
    def getValue(request):
        values["caller"] = request.transport.caller_name
        values["shard"] = request.transport.shard_key
        values["flags"] = request.transport.retry_flags
        values["delegate"] = request.transport.routing_delegate
        if request.body.key not in values:
            raise kind.types.NotFound(request.body.key)
        return values[request.body.key]

    @server.thrift.register(kind.service)
    def setValue(request):
        values[request.body.key] = request.body.value

    return values


async def test_methods_return_bare_results(client, kind, stored):
    store = client_for("keyvalue", kind.service)(client)

    assert await store.setValue("a", "b") is None
    assert await store.getValue(key="a") == "b"


async def test_methods_raise_declared_exceptions(client, kind, stored):
    store = client_for("keyvalue", kind.service)(client)

    with pytest.raises(kind.types.NotFound) as caught:
        await store.getValue("absent")
    assert caught.value.key == "absent"


async def test_calls_start_at_once_and_may_be_ignored(client, kind, stored):
    store = client_for("keyvalue", kind.service)(client)

    calls = [store.setValue("a", "1"), store.getValue("absent")]
    await asyncio.wait(calls)

    assert stored["a"] == "1"


async def test_a_tornado_coroutine_may_yield_a_call(client, kind, stored):
    @gen.coroutine
    def run():
        store = client_for("keyvalue", kind.service)(client)
        yield store.setValue("a", "b")
        try:
            yield store.getValue("absent")
        except kind.types.NotFound as error:
            stored["missing"] = error.key
        raise gen.Return((yield store.getValue("a")))

    assert await run() == "b"
    assert stored["missing"] == "absent"


async def test_cancelling_cancels_the_call(server, client, kind):
    cancelled = asyncio.Event()

    @server.thrift.register(kind.service)
    async def getValue(request):
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    started = asyncio.Event()
    call = client_for("keyvalue", kind.service)(client).getValue("a")
    await started.wait()
    assert call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_call_that_is_cancelled_cancels_what_waits_for_it(client, kind, stored):
    store = client_for("keyvalue", kind.service)(client)
    call = store.getValue("a")
    task = asyncio.ensure_future(asyncio.wait_for(call, 5))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.cancelled()


async def test_hostport_is_where_the_calls_go(server, kind, stored):
    async with TChannel("lonely") as lonely:
        store = client_for("keyvalue", kind.service)(lonely, hostport=server.hostport)

        await store.setValue("a", "b")
    assert stored["a"] == "b"


async def test_protocol_headers_are_honoured(client, kind, stored):
    headers = {"cn": "somebody", "sk": "shard", "re": "n", "rd": "delegate", "as": "thrift"}
    store = client_for("keyvalue", kind.service)(client, protocol_headers=headers)
    stored["a"] = "b"

    await store.getValue("a")

    assert stored["caller"] == "somebody"
    assert (stored["shard"], stored["flags"], stored["delegate"]) == ("shard", "n", "delegate")


@pytest.mark.parametrize("headers", [{"as": "json"}, {"colour": "red"}])
async def test_protocol_headers_that_cannot_be_set_are_refused(client, kind, headers):
    with pytest.raises(ValueError, match="protocol_headers cannot set"):
        client_for("keyvalue", kind.service)(client, protocol_headers=headers)


async def test_trace_traces_the_calls(server, client, kind):
    flags = []

    @server.thrift.register(kind.service)
    def getValue(request):
        flags.append(request.tracing.flags)
        return ""

    for trace in (False, True):
        await client_for("keyvalue", kind.service)(client, trace=trace).getValue("a")
    assert flags == [0, 1]


async def test_oneway_and_unknown_functions_are_refused(client, kind):
    clock = client_for("keyvalue", kind.clock)(client)

    with pytest.raises(OneWayNotSupportedError, match="Clock::tick is oneway"):
        clock.tick(5)
    with pytest.raises(AttributeError, match="has no function 'tock'"):
        clock.tock()
    assert "now" in dir(clock)


def test_the_service_in_a_module_may_be_named(idl):
    module = thrift.load(idl / "keyvalue.thrift")

    cls = client_for("keyvalue", module, "Clock")

    assert cls.__name__ == "ClockClient"
    with pytest.raises(ValueError, match="say which service is meant"):
        client_for("keyvalue", module)
    with pytest.raises(TypeError, match="service must be a str"):
        client_for(None, module.Clock)
    with pytest.raises(ValueError, match="service must not be empty"):
        client_for("", module.Clock)


def test_it_is_found_where_users_import_it():
    assert thrift.client_for is client_for
    assert tchannel.sync.client_for is tchannel.sync.thrift.client_for


# -- plain threads ---------------------------------------------------------------------------------


async def test_plain_threads_call_with_requests_and_clients(server, kind, stored):
    def talk():
        with tchannel.sync.TChannel("plain", known_peers=[server.hostport]) as channel:
            channel.thrift(kind.request("setValue", "a", "b"), timeout=5).result(10)
            response = channel.thrift(kind.request("getValue", "a"), {"x": "y"}).result(10)
            store = tchannel.sync.client_for("keyvalue", kind.service)(
                channel, protocol_headers={"sk": "shard"}
            )
            bare = store.getValue("a").result(10)
            missing = store.getValue("absent").exception(10)
            raised = None
            try:
                channel.thrift(kind.request("getValue", "absent")).result(10)
            except kind.types.NotFound as error:
                raised = error
            return response.body, bare, missing.key, raised.key

    assert await asyncio.to_thread(talk) == ("b", "b", "absent", "absent")
    assert stored["shard"] is None


async def test_a_wrong_value_fails_the_plain_threads_call(server, kind, stored):
    def talk():
        with tchannel.sync.TChannel("plain", known_peers=[server.hostport]) as channel:
            with pytest.raises(TypeError, match="Field key of"):
                channel.thrift(kind.request("getValue", 5)).result(10)
            with pytest.raises(TChannelError):
                channel.thrift(kind.request("nothing")).result(10)

    await asyncio.to_thread(talk)


async def test_a_function_that_does_not_exist_is_an_attribute_error(client, kind):
    store = client_for("keyvalue", kind.service)(client)

    with pytest.raises(AttributeError, match="service KeyValue has no function 'getvalue'"):
        store.getvalue("k")


async def test_the_name_of_a_function_may_begin_with_an_underscore(server, client, tmp_path):
    file = tmp_path / "under.thrift"
    file.write_text("service Under { string _score(1: string _key) }")
    module = thrift.load(file)
    server.thrift.register(module.Under, lambda request: request.body._key, "_score")

    assert await client_for("keyvalue", module.Under)(client)._score("a") == "a"


@pytest.mark.parametrize("channel", [None, "127.0.0.1:4040", TChannel])
def test_a_client_of_something_other_than_a_channel_is_refused(load_kind, channel):
    client_class = thrift.client_for("keyvalue", load_kind("engine").service)

    with pytest.raises(TypeError, match="KeyValueClient takes a channel, not"):
        client_class(channel)
