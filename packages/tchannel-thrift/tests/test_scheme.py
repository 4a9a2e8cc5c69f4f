"""Registering handlers, and calling them."""

import asyncio
import functools

import pytest
from tornado import gen

from tchannel import Response, TChannel, schemes, service, thrift
from tchannel.errors import BadRequestError, OneWayNotSupportedError, UnexpectedError
from tchannel.event import EventType
from tchannel_thrift import ThriftArgScheme


def register_get_value(server, kind):
    @server.thrift.register(kind.service)
    def getValue(request):
        return f"value of {request.body.key}"


# -- forms of registering --------------------------------------------------------------------------


async def test_a_decorated_function_serves_the_function_of_its_name(server, client, kind):
    register_get_value(server, kind)

    response = await client.thrift(kind.request("getValue", "a"))

    assert (response.body, response.headers, response.status) == ("value of a", {}, 0)
    assert response.transport.scheme == "thrift"


async def test_the_documents_misprinted_forms_register_too(server, client, kind):
    @server.register(kind.service)
    def getValue(request):
        return "by register"

    @server.thrift(kind.service)
    def nothing(request):
        called.append(request.endpoint)

    called = []
    assert (await client.thrift(kind.request("getValue", "a"))).body == "by register"
    await client.thrift(kind.request("nothing"))
    assert called == ["KeyValue::nothing"]


async def test_what_is_no_request_is_refused_with_how_to_make_one(client, kind):
    builder = thrift.thrift_request_builder("keyvalue", kind.service)

    for wrong in (builder.getValue, kind.shared.Point(1, 2), "keyvalue", None):
        with pytest.raises(TypeError, match=r"takes a request, .* such as KeyValue.getValue\("):
            client.thrift(wrong)


async def test_a_service_with_the_options_of_a_call_is_not_taken_for_a_registration(client, kind):
    with pytest.raises(TypeError, match="takes a request"):
        client.thrift(kind.service, timeout=1)


async def test_method_names_the_function_for_a_handler_of_another_name(server, client, kind):
    @server.thrift.register(kind.service, method="getValue")
    def find(request):
        return request.body.key

    assert (await client.thrift(kind.request("getValue", "a"))).body == "a"


async def test_handler_takes_the_handler_without_a_decorator(server, client, kind):
    def find(request):
        return request.body.key

    assert server.thrift.register(kind.service, handler=find, method="getValue") is find
    assert (await client.thrift(kind.request("getValue", "a"))).body == "a"


async def test_registering_returns_the_function_itself(server, kind):
    def getValue(request):
        return ""

    assert server.thrift.register(kind.service)(getValue) is getValue
    assert server.register(kind.service, "getValue", getValue) is getValue
    assert thrift.register(server, kind.service, getValue) is getValue


async def test_a_later_handler_takes_the_place_of_an_earlier(server, client, kind):
    for value in ("first", "second"):
        server.thrift.register(kind.service, lambda request, value=value: value, "getValue")

    assert (await client.thrift(kind.request("getValue", "a"))).body == "second"


async def test_a_module_with_several_services_is_asked_for_the_one_with_the_function(
    server, client, idl
):
    module = thrift.load(idl / "keyvalue.thrift", service="keyvalue")

    @server.thrift.register(module)
    def now(request):
        return 5

    assert (await client.thrift(module.Clock.now())).body == 5


def test_service_says_which_service_of_a_module_is_meant(idl):
    channel = TChannel("server")
    module = thrift.load(idl / "keyvalue.thrift")

    with pytest.raises(ValueError, match="there is no service 'Nope'; there are: KeyValue, Clock"):
        channel.thrift.register(module, service="Nope")
    with pytest.raises(ValueError, match="service KeyValue has no function 'now'"):
        channel.thrift.register(module, service="KeyValue", method="now")


def test_an_unknown_function_is_refused_with_the_known_ones(kind):
    channel = TChannel("server")

    with pytest.raises(ValueError, match="service KeyValue has no function 'getvalue'; it has: "):

        @channel.thrift.register(kind.service)
        def getvalue(request): ...


def test_what_is_no_thrift_module_is_refused():
    channel = TChannel("server")

    for wrong in (asyncio, object(), int, None):
        with pytest.raises(TypeError, match="a Thrift service or module is needed"):
            channel.thrift.register(wrong)
        with pytest.raises(TypeError, match="nothing but a Thrift service or module; this is"):
            channel.thrift(wrong)


def test_a_handler_that_cannot_be_one_is_refused(kind):
    channel = TChannel("server")

    with pytest.raises(TypeError, match="handler must be callable, not 5"):
        channel.thrift.register(kind.service)(5)
    with pytest.raises(TypeError, match=r"must take one argument, .* but takes \(key, value\)"):
        channel.thrift.register(kind.service, lambda key, value: None, method="setValue")
    with pytest.raises(ValueError, match="has no name: say method="):
        channel.thrift.register(kind.service, functools.partial(print))


def test_oneway_functions_are_refused(kind):
    channel = TChannel("server")

    with pytest.raises(OneWayNotSupportedError, match="Clock::tick is oneway"):
        channel.thrift.register(kind.clock, lambda request: None, "tick")
    with pytest.raises(OneWayNotSupportedError, match="Clock::tick is oneway"):
        channel.thrift.register(kind.clock, method="tick")


async def test_inherited_functions_go_by_the_leaf_services_name(server, client, kind):
    @server.thrift.register(kind.service)
    def countdown(request):
        if request.body.n < 0:
            raise kind.shared.Refused("negative")
        return request.body.n - 1

    request = kind.request("countdown", 5)

    assert request.endpoint == "KeyValue::countdown"
    assert (await client.thrift(request)).body == 4
    with pytest.raises(kind.shared.Refused) as caught:
        await client.thrift(kind.request("countdown", -1))
    assert caught.value.why == "negative"


# -- kinds of handlers -----------------------------------------------------------------------------


async def test_coroutines_and_tornado_coroutines_are_handlers(server, client, kind):
    @server.thrift.register(kind.service)
    async def getValue(request):
        await asyncio.sleep(0)
        return "async"

    @server.register(kind.service)
    @gen.coroutine
    def setValue(request):
        yield gen.sleep(0)
        seen[request.body.key] = request.body.value

    seen = {}
    assert (await client.thrift(kind.request("getValue", "a"))).body == "async"
    assert (await client.thrift(kind.request("setValue", "a", "b"))).body is None
    assert seen == {"a": "b"}


async def test_an_object_is_a_handler_for_every_function(server, client, kind):
    class Handlers:
        def now(self, request):
            return 7

    # `tick` is oneway: it needs no handler, and may have none.
    server.thrift.register(kind.clock, Handlers())
    builder = thrift.thrift_request_builder("keyvalue", kind.clock)

    assert (await client.thrift(builder.now())).body == 7


def test_an_object_that_lacks_handlers_is_refused(kind):
    channel = TChannel("server")

    class Handlers:
        def getValue(self, request): ...

    with pytest.raises(ValueError, match="Handlers has no method for these functions of KeyValue"):
        channel.thrift.register(kind.service, Handlers())
    assert "KeyValue::getValue" not in channel.endpoints.names()


def test_a_class_in_the_place_of_an_object_is_refused_with_what_to_write(kind):
    channel = TChannel("server")

    class Handlers:
        def getValue(self, request): ...

    with pytest.raises(TypeError, match=r"write Handlers\(\)"):
        channel.thrift.register(kind.service, Handlers)
    with pytest.raises(TypeError, match=r"write Handlers\(\)"):
        channel.thrift.register(kind.service)(Handlers)


def test_an_object_with_a_oneway_handler_is_refused(kind):
    class Handlers:
        def now(self, request): ...

        def tick(self, request): ...

    with pytest.raises(OneWayNotSupportedError, match="Clock::tick is oneway"):
        TChannel("server").thrift.register(kind.clock, Handlers())


async def test_marked_methods_of_an_object_are_handlers(server, client, kind):
    class Store:
        values = {"a": "b"}

        @service.endpoint("thrift", module=kind.service)
        def getValue(self, request):
            return self.values[request.body.key]

        @service.endpoint("thrift", "setValue", module=kind.service)
        async def put(self, request):
            self.values[request.body.key] = request.body.value

    server.register_service(Store())

    await client.thrift(kind.request("setValue", "c", "d"))
    assert (await client.thrift(kind.request("getValue", "c"))).body == "d"


def test_a_marked_method_without_its_module_is_refused():
    class Store:
        @service.endpoint("thrift")
        def getValue(self, request): ...

    with pytest.raises(TypeError, match="the handler of 'getValue' needs its Thrift module"):
        TChannel("server").register_service(Store())


async def test_a_sub_channel_has_thrift_handlers_of_its_own(server, client, kind):
    register_get_value(server, kind)
    other = server.service("other")

    @other.thrift.register(kind.service)
    def getValue(request):
        return "other"

    builder = thrift.thrift_request_builder("other", kind.service)
    assert (await client.thrift(builder.getValue("a"))).body == "other"
    assert (await client.thrift(kind.request("getValue", "a"))).body == "value of a"


# -- calling ---------------------------------------------------------------------------------------


async def test_application_headers_go_both_ways(server, client, kind):
    @server.thrift.register(kind.service)
    def getValue(request):
        return Response("value", {"echo": request.headers["greeting"]})

    response = await client.thrift(kind.request("getValue", "a"), headers={"greeting": "grüezi"})

    assert (response.body, response.headers) == ("value", {"echo": "grüezi"})


@pytest.mark.parametrize("headers", [{"a": 1}, {1: "a"}, ["a"], "ab", {"a": None}])
async def test_headers_that_are_not_str_to_str_are_a_value_error(client, kind, headers):
    with pytest.raises(ValueError, match="headers must be"):
        client.thrift(kind.request("getValue", "a"), headers=headers)


async def test_a_handlers_wrong_headers_are_an_unexpected_error(server, client, kind, caplog):
    @server.thrift.register(kind.service)
    def getValue(request):
        return Response("value", {"a": 1})

    with pytest.raises(Exception, match="headers must be str to str"):
        await client.thrift(kind.request("getValue", "a"))
    assert "handler of KeyValue::getValue failed" in caplog.text


async def test_what_a_call_says_reaches_the_handler(server, client, kind):
    @server.thrift.register(kind.service)
    def getValue(request):
        transport = request.transport
        told.append((transport.caller_name, transport.shard_key, transport.routing_delegate))
        told.append((transport.retry_flags, transport.ttl_ms, request.service, request.endpoint))
        return ""

    told = []
    await client.thrift(
        kind.request("getValue", "a"),
        timeout=3,
        retry_on="n",
        retry_limit=0,
        shard_key="shard",
        trace=True,
        hostport=server.hostport,
        routing_delegate="delegate",
        caller_name="somebody",
    )

    assert told == [
        ("somebody", "shard", "delegate"),
        ("n", 3000, "keyvalue", "KeyValue::getValue"),
    ]


async def test_a_calls_hostport_beats_that_of_the_request(server, kind):
    register_get_value(server, kind)
    builder = thrift.thrift_request_builder("keyvalue", kind.service, hostport="127.0.0.1:1")

    async with TChannel("client") as client:
        response = await client.thrift(builder.getValue("a"), hostport=server.hostport)

    assert response.body == "value of a"


async def test_a_requests_hostport_is_where_the_call_goes(server, kind):
    register_get_value(server, kind)
    builder = thrift.thrift_request_builder("keyvalue", kind.service, server.hostport)

    async with TChannel("client") as client:
        assert (await client.thrift(builder.getValue("a"))).body == "value of a"


async def test_a_request_can_be_called_more_than_once(server, client, kind):
    register_get_value(server, kind)
    request = kind.request("getValue", "a")

    answers = await asyncio.gather(client.thrift(request), client.thrift(request))

    assert [answer.body for answer in answers] == ["value of a"] * 2


async def test_a_deadline_bounds_the_call(server, client, kind):
    @server.thrift.register(kind.service)
    async def getValue(request):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await client.thrift(kind.request("getValue", "a"), deadline=0.05)


async def test_hooks_may_add_headers(server, client, kind):
    @server.thrift.register(kind.service)
    def getValue(request):
        return str(request.headers)

    def add(headers, service):
        headers["added"] = service

    client.hooks.register(add, EventType.before_serialize_request_headers)

    response = await client.thrift(kind.request("getValue", "a"))
    assert response.body == "{'added': 'keyvalue'}"


async def test_another_scheme_cannot_call_a_thrift_endpoint(server, client, kind):
    register_get_value(server, kind)

    with pytest.raises(BadRequestError, match="expected a 'thrift' but request is 'raw'"):
        await client.raw("keyvalue", "KeyValue::getValue", b"")


def test_the_scheme_is_found_where_the_document_has_it():
    assert schemes.ThriftArgScheme is ThriftArgScheme
    assert ThriftArgScheme.NAME == schemes.THRIFT == "thrift"
    assert isinstance(TChannel("name").thrift, ThriftArgScheme)


async def test_a_scheme_of_ones_own_goes_by_its_channel(server, client, kind):
    scheme = ThriftArgScheme(server)

    @scheme.register(kind.service)
    def getValue(request):
        return "value"

    response = await ThriftArgScheme(client)(kind.request("getValue", "a"))
    assert response.body == "value"


# -- headers of exceptions -------------------------------------------------------------------------


async def test_a_declared_exception_carries_headers_to_the_caller(server, client, kind):
    @server.thrift.register(kind.service)
    def getValue(request):
        error = kind.types.NotFound(request.body.key)
        BaseException.__setattr__(
            error, "application_headers", {"retry-after": "30", "b": "\udcff"}
        )
        raise error

    with pytest.raises(kind.types.NotFound) as caught:
        await client.thrift(kind.request("getValue", "a"))

    assert caught.value.key == "a"
    assert thrift.headers_of(caught.value) == {"retry-after": "30", "b": "\udcff"}


async def test_a_declared_exception_without_headers_has_none(server, client, kind):
    @server.thrift.register(kind.service)
    def getValue(request):
        raise kind.types.NotFound(request.body.key)

    with pytest.raises(kind.types.NotFound) as caught:
        await client.thrift(kind.request("getValue", "a"))

    assert thrift.headers_of(caught.value) == {}
    assert caught.value == kind.types.NotFound("a")


@pytest.mark.parametrize("headers", [{"a": 1}, "text", ["a"]])
async def test_headers_of_an_exception_that_cannot_be_sent_are_an_unexpected_error(
    server, client, kind, headers, caplog
):
    @server.thrift.register(kind.service)
    def getValue(request):
        error = kind.types.NotFound(request.body.key)
        BaseException.__setattr__(error, "application_headers", headers)
        raise error

    with pytest.raises(UnexpectedError, match="headers must be"):
        await client.thrift(kind.request("getValue", "a"))
    assert "handler of KeyValue::getValue failed" in caplog.text


async def test_a_field_of_the_attributes_name_is_a_field(server, client, tmp_path):
    (tmp_path / "odd.thrift").write_text(
        "exception Odd { 1: required string application_headers }"
        " service Odds { void fail() throws (1: Odd odd) }"
    )
    odd = thrift.load(tmp_path / "odd.thrift", service="keyvalue")

    @server.thrift.register(odd.Odds)
    def fail(request):
        raise odd.Odd("field")

    with pytest.raises(odd.Odd) as caught:
        await client.thrift(odd.Odds.fail())

    assert caught.value.application_headers == "field"
    assert thrift.headers_of(caught.value) == {}


async def test_a_routing_key_goes_with_a_call(server, client, kind):
    seen = []

    @server.thrift.register(kind.service)
    def getValue(request):
        seen.append(request.transport.routing_key)
        return ""

    await client.thrift(kind.request("getValue", "a"), routing_key="canary")
    await client.thrift(kind.request("getValue", "a"))
    store = thrift.client_for("keyvalue", kind.service)(client, protocol_headers={"rk": "blue"})
    await store.getValue("a")

    assert seen == ["canary", None, "blue"]
