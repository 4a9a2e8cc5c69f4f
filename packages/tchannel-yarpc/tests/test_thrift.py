"""The thrift encoding, both ends."""

import logging

import pytest

pytest.importorskip("tchannel_thrift", reason="the extra `thrift`")

from tchannel import Response, TChannel, errors, thrift
from tchannel_yarpc import (
    ApplicationError,
    Code,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
    Yarpc,
    YarpcError,
)

pytestmark = pytest.mark.extra


async def test_a_call_carries_values_and_headers_both_ways(serving, calling, store):
    @serving.thrift.register(store.Store)
    async def fetch(request):
        entry = store.Entry(request.body.name, tags=[request.headers["Token"]])
        return Response(entry, {"Served-By": request.procedure})

    response = await calling.thrift(store.Store.fetch("a"), {"token": "t"}, timeout=3)

    assert response.body == store.Entry("a", tags=["t"])
    assert response.headers == {"served-by": "Store::fetch"}


async def test_forms_of_registering(serving, calling, store):
    class Handlers:
        def alive(self, request):
            return True

        def put(self, request):
            return None

        def fetch(self, request):
            return {"name": request.body.name}

        def count(self, request):
            return 3

    def second(request):
        return 4

    handlers = Handlers()
    assert serving.thrift.register(store.Store, handlers) is handlers
    serving.thrift.register(store.Store, second, method="count")

    assert (await calling.thrift(store.Store.alive())).body is True
    assert (await calling.thrift(store.Store.count())).body == 4
    assert (await calling.thrift(store.Store.fetch("a"))).body == store.Entry("a")
    with pytest.raises(ValueError, match="has no function"):
        serving.thrift.register(store.Store, second)


async def test_a_declared_exception_says_its_name_text_code_and_headers(serving, calling, store):
    @serving.thrift.register(store.Store)
    def fetch(request):
        error = store.MissingEntry(request.body.name)
        error.application_headers = {"Retry": "no"}
        raise error

    with pytest.raises(store.MissingEntry) as caught:
        await calling.thrift(store.Store.fetch("absent"))

    assert ApplicationError.of(caught.value) == ApplicationError(
        "MissingEntry", "MissingEntry{Name: absent}", Code.NOT_FOUND
    )
    assert thrift.headers_of(caught.value) == {"retry": "no"}


async def test_an_exception_without_a_code_in_the_idl_has_none(serving, calling, store):
    @serving.thrift.register(store.Store)
    def fetch(request):
        raise store.Locked("me")

    with pytest.raises(store.Locked) as caught:
        await calling.thrift(store.Store.fetch("a"))
    assert ApplicationError.of(caught.value) == ApplicationError("Locked", "Locked{Owner: me}")


async def test_an_exception_of_a_call_that_a_handler_lets_through_tells_none_of_its_headers(
    serving, calling, server, store
):
    inner = Yarpc(server.service("inner"))

    @inner.thrift.register(store.Store)
    def fetch(request):
        error = store.MissingEntry(request.body.name)
        error.application_headers = {"secret": "x"}
        raise error

    @serving.thrift.register(store.Store, method="fetch")
    async def outer(request):
        request = store.Store.fetch("b")
        request.service = "inner"
        await Yarpc(server).thrift(request, hostport=server.hostport)

    with pytest.raises(store.MissingEntry) as caught:
        await calling.thrift(store.Store.fetch("a"))

    assert caught.value.name == "b"
    assert thrift.headers_of(caught.value) == {}


async def test_an_undeclared_exception_is_internal_and_logged(serving, calling, store, caplog):
    @serving.thrift.register(store.Store)
    def count(request):
        raise KeyError("k")

    with caplog.at_level(logging.ERROR), pytest.raises(InternalError) as caught:
        await calling.thrift(store.Store.count())

    assert caught.value.message == "KeyError: 'k'"
    assert isinstance(caught.value.__cause__, errors.UnexpectedError)
    assert "handler of Store::count failed" in caplog.text


async def test_a_yarpc_error_without_a_message_is_told_by_its_code(serving, calling, store):
    @serving.thrift.register(store.Store)
    def count(request):
        raise UnavailableError

    with pytest.raises(UnavailableError, match=r"^unavailable: unavailable"):
        await calling.thrift(store.Store.count())


@pytest.mark.parametrize("raised", [True, False])
async def test_a_reserved_header_is_an_internal_error(serving, calling, store, caplog, raised):
    @serving.thrift.register(store.Store)
    def fetch(request):
        headers = {"$rpc$-service": "x"}
        if not raised:
            return Response(store.Entry("a"), headers)
        error = store.Locked("me")
        error.application_headers = headers
        raise error

    with pytest.raises(InternalError, match=r"cannot use reserved header key: .rpc.-service"):
        await calling.thrift(store.Store.fetch("a"))
    assert "handler of Store::fetch failed" in caplog.text


async def test_a_value_that_is_missing_and_bytes_that_are_none_are_internal_errors(
    calling, answer, store
):
    answer(0, b"\0\0", b"\0")
    with pytest.raises(InternalError, match="returns a value, but the answer has none"):
        await calling.thrift(store.Store.count())
    answer(0, b"\0\0", b"\xff")
    with pytest.raises(InternalError, match="cannot decode the answer"):
        await calling.thrift(store.Store.count())
    answer(1, b"\0\0", b"\x0c\0\x63\0\0")
    with pytest.raises(InternalError, match=r"does not declare|99"):
        await calling.thrift(store.Store.count())


async def test_another_service_that_answers_is_an_internal_error(calling, answer, store):
    answer(0, b"\0\1\0\x0d$rpc$-service\0\5other", b"\0")

    with pytest.raises(InternalError, match="got 'other'"):
        await calling.thrift(store.Store.put(store.Entry("a")))


async def test_a_service_of_another_name_is_not_served(serving, client, store):
    serving.thrift.register(store.Store, lambda request: 1, method="count")

    with pytest.raises(errors.BadRequestError, match="unrecognized service name"):
        await client.call("thrift", "other", "Store::count", b"\0\0", b"\0")


async def test_requests_that_cannot_be_read_are_invalid_arguments(serving, client, store):
    serving.thrift.register(store.Store, lambda request: 1, method="count")

    for arg2, arg3 in ((b"\0\1\0", b"\0"), (b"\0\0", b"\xff")):
        with pytest.raises(errors.BadRequestError, match="cannot decode the request"):
            await client.call("thrift", "ystore", "Store::count", arg2, arg3)


@pytest.mark.parametrize(
    ("begin", "answered"),
    [
        (b"\x80\1\0\1\0\0\0\5count\0\0\0\7", b"\x80\1\0\2\0\0\0\5count\0\0\0\7"),
        (b"\0\0\0\5count\1\0\0\0\7", b"\0\0\0\5count\2\0\0\0\7"),
    ],
    ids=["strict", "not strict"],
)
async def test_a_request_in_an_envelope_is_answered_in_kind(
    serving, client, store, begin, answered
):
    serving.thrift.register(store.Store, lambda request: 5, method="count")

    response = await client.call("thrift", "ystore", "Store::count", b"\0\0", begin + b"\0")

    assert response.body == answered + b"\x0a\0\0\0\0\0\0\0\0\0\5\0"


async def test_plain_thrift_calls_are_served_and_plain_services_called(
    serving, calling, client, server, store
):
    serving.thrift.register(store.Store, lambda request: 5, method="count")
    server.thrift.register(store.Store, lambda request: True, method="alive")

    plain = await client.thrift(store.Store.count())
    ours = await calling.thrift(store.Store.alive())

    assert (plain.body, plain.headers) == (5, {"$rpc$-service": "ystore"})
    assert (ours.body, ours.headers) == (True, {})


async def test_an_address_of_the_request_is_called(server, store, serving, tmp_path):
    serving.thrift.register(store.Store, lambda request: 5, method="count")
    builder = thrift.thrift_request_builder("ystore", store.Store, server.hostport)

    async with TChannel("other") as channel:
        assert (await Yarpc(channel).thrift(builder.count())).body == 5
        with pytest.raises(YarpcError):
            await Yarpc(channel).thrift(builder.count(), hostport="127.0.0.1:1")


async def test_what_is_no_request_is_refused_with_how_to_make_one(calling, store):
    for wrong in (store.Store, store.Store.count, "Store::count", None):
        with pytest.raises(TypeError, match=r"takes a request, .* such as KeyValue.getValue"):
            calling.thrift(wrong)


async def test_a_handler_of_a_function_may_be_called_by_other_errors(serving, calling, store):
    @serving.thrift.register(store.Store)
    def count(request):
        raise InvalidArgumentError("no")

    with pytest.raises(InvalidArgumentError, match="no"):
        await calling.thrift(store.Store.count())

    @serving.thrift.register(store.Store, method="count")
    def other(request):
        raise NotFoundError("no")

    with pytest.raises(InternalError, match="no"):
        await calling.thrift(store.Store.count())
