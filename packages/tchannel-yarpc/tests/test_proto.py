"""The proto encoding, both ends, without generated services."""

import logging

import pytest

pytest.importorskip("google.protobuf", reason="the extra `protobuf`")

from tchannel import Response, errors
from tchannel_yarpc import AlreadyExistsError, InternalError, InvalidArgumentError, UnknownError

pytestmark = pytest.mark.extra


@pytest.fixture
def echo(pb):
    return pb.DESCRIPTOR.services_by_name["Echo"]


@pytest.fixture
def streams(pb):
    return pb.DESCRIPTOR.services_by_name["Streams"]


class Handlers:
    def __init__(self, pb):
        self.pb = pb
        self.seen = []

    async def Say(self, request):
        self.seen.append((request.encoding, request.procedure, dict(request.headers)))
        return Response(
            self.pb.SayResponse(text=request.body.text * request.body.times), {"A": "b"}
        )

    def Nothing(self, request):
        return request.body

    def Fail(self, request):
        raise AlreadyExistsError(
            "twice",
            details=[self.pb.Reason(text=text) for text in request.body.details],
            body=self.pb.SayResponse(text="partial"),
        )


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_call_carries_messages_and_headers_both_ways(serving, calling, pb, echo, as_json):
    handlers = Handlers(pb)
    assert serving.proto.register(echo, handlers) is handlers
    client = calling.proto(echo, "ystore", as_json=as_json)

    response = await client.Say(pb.SayRequest(text="ab", times=2), {"Token": "t"}, timeout=3)

    assert response.body == pb.SayResponse(text="abab")
    assert response.headers == {"a": "b"}
    encoding = "json" if as_json else "proto"
    assert handlers.seen == [(encoding, "demo.echo.Echo::Say", {"token": "t"})]
    assert response.transport.scheme == encoding


@pytest.mark.parametrize("as_json", [False, True])
async def test_an_error_carries_its_details_as_text_and_the_message_beside_it(
    serving, calling, pb, echo, as_json
):
    serving.proto.register(echo, Handlers(pb))
    client = calling.proto(echo, "ystore", as_json=as_json)

    with pytest.raises(AlreadyExistsError) as caught:
        await client.Fail(pb.FailRequest(details=["d0", "d1"]))

    error = caught.value
    assert (error.message, error.name) == ("twice", "Reason")
    assert error.details == '[]{ Reason{text:"d0" } , Reason{text:"d1" } }'
    assert error.body == pb.SayResponse(text="partial")


async def test_every_procedure_is_json_too(serving, calling, pb, echo):
    serving.proto.register(echo, Handlers(pb))

    response = await calling.json("ystore", "demo.echo.Echo::Say", {"text": "a", "times": "3"})

    assert response.body == {"text": "aaa"}


async def test_forms_of_registering(serving, calling, pb, echo):
    @serving.proto.register(echo)
    def Say(request):
        return pb.SayResponse(text="1")

    @serving.proto.register(echo, method="Fail")
    def other(request):
        return pb.SayResponse(text="2")

    serving.proto.register(echo, lambda request: pb.Empty(), method="Nothing")
    client = calling.proto(echo, "ystore")

    assert (await client.Say(pb.SayRequest())).body.text == "1"
    assert (await client.Fail(pb.FailRequest())).body.text == "2"
    assert (await client.Nothing(pb.Empty())).body == pb.Empty()


async def test_what_cannot_be_registered_is_refused(serving, pb, echo, streams):
    class Half:
        def Say(self, request): ...

    with pytest.raises(ValueError, match=r"Half has no method for these .*: Nothing, Fail"):
        serving.proto.register(echo, Half())
    with pytest.raises(TypeError, match=r"write Half\(\)"):
        serving.proto.register(echo, Half)
    with pytest.raises(ValueError, match="has no method 'Shout'; it has: Say, Nothing, Fail"):
        serving.proto.register(echo, method="Shout")
    with pytest.raises(ValueError, match="streams"):
        serving.proto.register(streams, lambda request: None, method="Many")
    with pytest.raises(TypeError, match="services_by_name"):
        serving.proto.register(pb)
    with pytest.raises(TypeError, match="services_by_name"):
        serving.proto.register("demo.echo.Echo", Half())


async def test_what_streams_is_answered_as_a_bad_request(serving, calling, client, pb, streams):
    class Once:
        def Once(self, request):
            return pb.Empty()

    serving.proto.register(streams, Once())

    assert (await calling.proto(streams, "ystore").Once(pb.Empty())).body == pb.Empty()
    with pytest.raises(errors.BadRequestError, match="transport tchannel does not handle"):
        await client.call("proto", "ystore", "demo.echo.Streams::Many", b"\0\0", b"")
    with pytest.raises(AttributeError, match="streams, which TChannel cannot carry"):
        calling.proto(streams, "ystore").Many  # noqa: B018


async def test_a_client_shows_its_methods_and_names_what_was_meant(calling, pb, echo):
    client = calling.proto(echo, "ystore")

    assert {"Say", "Nothing", "Fail"} <= set(dir(client))
    assert repr(client) == "<ProtoService demo.echo.Echo of 'ystore'>"
    assert client.Say.__name__ == "Say"
    with pytest.raises(AttributeError) as caught:
        client.Sya  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("Sya", client)


async def test_options_of_a_client_are_those_of_its_calls(calling, answer, pb, echo):
    sent = answer()
    client = calling.proto(echo, "ystore", timeout=3, routing_key="canary")

    await client.Nothing(pb.Empty())
    await client.Nothing(pb.Empty(), timeout=4)

    assert [call.timeout for call in sent] == [3, 4]
    assert [call.headers["rk"] for call in sent] == ["canary", "canary"]
    with pytest.raises(TypeError, match="'timout' is no option of a call; those are: timeout"):
        calling.proto(echo, "ystore", timout=3)


async def test_a_message_of_another_type_fails_before_anything_is_sent(calling, answer, pb, echo):
    sent = answer()

    with pytest.raises(TypeError, match=r"demo\.echo\.SayRequest is needed"):
        calling.proto(echo, "ystore").Say(pb.Empty())
    assert sent == []


async def test_what_is_no_message_in_a_request_or_an_answer(serving, calling, client, pb, echo):
    serving.proto.register(echo, Handlers(pb))

    with pytest.raises(errors.BadRequestError, match=r"cannot decode .* no demo\.echo\.SayRequest"):
        await client.call("proto", "ystore", "demo.echo.Echo::Say", b"\0\0", b"\xff")
    with pytest.raises(InvalidArgumentError, match=r"no demo\.echo\.SayRequest"):
        await calling.json("ystore", "demo.echo.Echo::Say", [1])


async def test_an_answer_that_is_no_message_is_an_internal_error(calling, answer, pb, echo):
    answer(0, b"\0\0", b"\xff")

    with pytest.raises(InternalError, match="cannot decode the body of the answer"):
        await calling.proto(echo, "ystore").Say(pb.SayRequest())


@pytest.mark.parametrize("result", [None, "text", {"text": "a"}])
async def test_a_handler_that_returns_no_message_is_unknown_and_logged(
    serving, calling, pb, echo, result, caplog
):
    serving.proto.register(echo, lambda request: result, method="Say")

    with caplog.at_level(logging.ERROR), pytest.raises(UnknownError, match="is needed"):
        await calling.proto(echo, "ystore").Say(pb.SayRequest())
    assert "handler of demo.echo.Echo::Say failed" in caplog.text
