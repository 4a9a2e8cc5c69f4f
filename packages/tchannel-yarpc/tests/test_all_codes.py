"""Each of the 16 codes, and each error frame, both ways through a service and its caller."""

import pytest

from tchannel import errors
from tchannel_yarpc import Code, YarpcError
from tchannel_yarpc.errors import error_of

# What a Thrift handler raises arrives as its error frame says; the frame is in test_codes.py.
THROUGH_THRIFT = {
    Code.CANCELLED: Code.CANCELLED,
    Code.UNKNOWN: Code.INTERNAL,
    Code.INVALID_ARGUMENT: Code.INVALID_ARGUMENT,
    Code.DEADLINE_EXCEEDED: Code.DEADLINE_EXCEEDED,
    Code.NOT_FOUND: Code.INTERNAL,
    Code.ALREADY_EXISTS: Code.INTERNAL,
    Code.PERMISSION_DENIED: Code.INTERNAL,
    Code.RESOURCE_EXHAUSTED: Code.RESOURCE_EXHAUSTED,
    Code.FAILED_PRECONDITION: Code.INTERNAL,
    Code.ABORTED: Code.INTERNAL,
    Code.OUT_OF_RANGE: Code.INTERNAL,
    Code.UNIMPLEMENTED: Code.INVALID_ARGUMENT,
    Code.INTERNAL: Code.INTERNAL,
    Code.UNAVAILABLE: Code.UNAVAILABLE,
    Code.DATA_LOSS: Code.INTERNAL,
    Code.UNAUTHENTICATED: Code.INTERNAL,
}

FRAMES = {
    errors.TimeoutError: Code.DEADLINE_EXCEEDED,
    errors.CanceledError: Code.CANCELLED,
    errors.BusyError: Code.RESOURCE_EXHAUSTED,
    errors.DeclinedError: Code.UNAVAILABLE,
    errors.UnexpectedError: Code.INTERNAL,
    errors.BadRequestError: Code.INVALID_ARGUMENT,
    errors.NetworkError: Code.UNAVAILABLE,
    errors.UnhealthyError: Code.INTERNAL,
}


async def failure(call):
    with pytest.raises(YarpcError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("code", Code, ids=lambda code: code.text)
@pytest.mark.parametrize("encoding", ["raw", "json"])
async def test_a_code_that_a_handler_raises_is_the_callers(serving, calling, encoding, code):
    def fail(request):
        raise error_of(code, f"it is {code.text}")

    getattr(serving, encoding).register("fail", fail)
    error = await failure(getattr(calling, encoding)("ystore", "fail"))

    assert (type(error), error.code) == (type(error_of(code)), code)
    assert error.message == f"it is {code.text}"
    assert error.__cause__ is None


@pytest.mark.extra
@pytest.mark.parametrize("code", Code, ids=lambda code: code.text)
@pytest.mark.parametrize("as_json", [False, True])
async def test_a_code_of_a_proto_handler_is_the_callers(serving, calling, pb, code, as_json):
    echo = pb.DESCRIPTOR.services_by_name["Echo"]

    @serving.proto.register(echo)
    def Fail(request):
        raise error_of(code, "m")

    error = await failure(
        calling.proto(echo, "ystore", as_json=as_json).Fail(pb.FailRequest(code="x"))
    )

    assert (error.code, error.message) == (code, "m")


@pytest.mark.extra
@pytest.mark.parametrize("code", Code, ids=lambda code: code.text)
async def test_a_code_of_a_thrift_handler_arrives_as_its_error_frame(serving, calling, store, code):
    @serving.thrift.register(store.Store)
    def count(request):
        raise error_of(code, "m")

    error = await failure(calling.thrift(store.Store.count()))

    assert (error.code, error.message) == (THROUGH_THRIFT[code], "m")
    assert isinstance(error.__cause__, errors.TChannelError)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.__name__)
@pytest.mark.parametrize("encoding", ["raw", "json"])
async def test_an_error_frame_is_the_callers_code(serving, calling, encoding, frame):
    def fail(request):
        raise frame("said so")

    getattr(serving, encoding).register("fail", fail)
    error = await failure(getattr(calling, encoding)("ystore", "fail"))

    assert (error.code, error.message) == (FRAMES[frame], "said so")
    assert type(error.__cause__) is frame


async def test_a_fatal_error_frame_of_one_call_is_its_error_alone(calling, answer):
    answer(error=errors.FatalProtocolError("data is lost"))

    assert (await failure(calling.raw("ystore", "get"))).code is Code.INTERNAL
