"""Stubs as grpcio-tools generated them, on a TChannel."""

import pytest

pytest.importorskip("grpc", reason="what the generated stubs import")
pytest.importorskip("google.protobuf", reason="the extra `protobuf`")

from tchannel import Response
from tchannel_yarpc import (
    AlreadyExistsError,
    DeadlineExceededError,
    InternalError,
    UnimplementedError,
)

pytestmark = pytest.mark.extra


@pytest.fixture
def stubs(generated):
    return generated("echo_pb2_grpc")


@pytest.fixture
def stub(stubs, calling):
    return stubs.EchoStub(calling.grpc_channel("ystore"))


@pytest.fixture
def service(serving, pb):
    @serving.proto.register(pb.DESCRIPTOR.services_by_name["Echo"])
    async def Say(request):
        return Response(pb.SayResponse(text=f"{request.body.text} {dict(request.headers)}"))

    @serving.proto.register(pb.DESCRIPTOR.services_by_name["Echo"])
    def Fail(request):
        raise AlreadyExistsError("twice", details="d", body=pb.SayResponse(text="partial"))


async def test_a_stub_calls_with_messages_and_metadata(service, stub, pb):
    answer = await stub.Say(
        pb.SayRequest(text="a"), timeout=3, metadata=(("Token", "t"),), wait_for_ready=True
    )

    assert answer == pb.SayResponse(text="a {'token': 't'}")


async def test_an_error_of_a_stub_is_a_yarpc_error(service, stub, pb):
    with pytest.raises(AlreadyExistsError) as caught:
        await stub.Fail(pb.FailRequest())

    assert (caught.value.message, caught.value.details) == ("twice", "d")
    assert caught.value.body == pb.SayResponse(text="partial")
    assert caught.value.procedure == "demo.echo.Echo::Fail"


async def test_the_timeout_of_a_stubs_call_and_of_its_channel_count(stubs, calling, answer, pb):
    sent = answer()
    stub = stubs.EchoStub(calling.grpc_channel("ystore", timeout=7, shard_key="s"))

    await stub.Nothing(pb.Empty())
    await stub.Nothing(pb.Empty(), timeout=2)

    assert [call.timeout for call in sent] == [7, 2]
    assert [call.headers["sk"] for call in sent] == ["s", "s"]
    assert sent[0].endpoint == "demo.echo.Echo::Nothing"


async def test_a_call_out_of_time_is_a_deadline_exceeded(serving, stub, pb):
    import asyncio

    @serving.proto.register(pb.DESCRIPTOR.services_by_name["Echo"])
    async def Nothing(request):
        await asyncio.Event().wait()

    with pytest.raises(DeadlineExceededError):
        await stub.Nothing(pb.Empty(), timeout=0.01)


async def test_what_a_stub_cannot_do_here(stubs, calling, answer, pb):
    sent = answer(0, b"\0\0", b"\xff")
    channel = calling.grpc_channel("ystore")
    stub = stubs.EchoStub(channel)

    with pytest.raises(UnimplementedError, match=r"/demo\.echo\.Streams/Many streams"):
        stubs.StreamsStub(channel).Many(pb.Empty())
    with pytest.raises(ValueError, match="no credentials"):
        stub.Say(pb.SayRequest(), credentials=object())
    with pytest.raises(ValueError, match="headers must be str to str"):
        stub.Say(pb.SayRequest(), metadata=[("k-bin", b"v")])
    with pytest.raises(TypeError):
        stub.Say("text")
    with pytest.raises(TypeError, match="'timout' is no option"):
        calling.grpc_channel("ystore", timout=1)
    assert sent == []
    with pytest.raises(InternalError, match="cannot decode the body"):
        await stub.Say(pb.SayRequest())
