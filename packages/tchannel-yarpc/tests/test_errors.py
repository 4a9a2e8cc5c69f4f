"""The error classes."""

import asyncio
import builtins
import pickle

import pytest

import tchannel_yarpc
from tchannel import errors as channel_errors
from tchannel_yarpc import Code, DeadlineExceededError, NotFoundError, UnknownError, YarpcError
from tchannel_yarpc.errors import error_of, from_tchannel


def test_there_is_one_class_for_each_code():
    classes = {cls.code: cls for cls in YarpcError.__subclasses__()}

    assert set(classes) == set(Code)
    for code, cls in classes.items():
        assert cls.__name__ == code.name.title().replace("_", "") + "Error"
        assert getattr(tchannel_yarpc, cls.__name__) is cls
        assert type(error_of(code, "x")) is cls


def test_the_classes_are_no_errors_of_the_event_loop():
    assert not issubclass(tchannel_yarpc.CancelledError, asyncio.CancelledError)
    assert issubclass(DeadlineExceededError, builtins.TimeoutError)


def test_an_error_says_its_code_and_what_happened():
    error = NotFoundError("gone", name="n", details="d", headers={"a": "b"}, body=1)

    assert str(error) == "not-found: gone"
    assert (error.name, error.details, error.headers, error.body) == ("n", "d", {"a": "b"}, 1)
    assert str(NotFoundError()) == "not-found"
    error.service, error.procedure = "s", "p"
    assert repr(error) == "NotFoundError(\"not-found: gone (service 's', procedure 'p')\")"


def test_a_message_that_is_no_text_becomes_one():
    assert NotFoundError(KeyError("k")).message == "'k'"


def test_an_error_of_no_code_of_its_own_is_unknown():
    assert YarpcError("x").code is UnknownError.code is Code.UNKNOWN


def test_errors_can_be_pickled_with_all_they_say():
    error = NotFoundError("gone", name="n", details="d", headers={"a": "b"}, body=[1])
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is NotFoundError
    assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (channel_errors.TimeoutError("t"), Code.DEADLINE_EXCEEDED),
        (channel_errors.CanceledError("t"), Code.CANCELLED),
        (channel_errors.BusyError("t"), Code.RESOURCE_EXHAUSTED),
        (channel_errors.DeclinedError("t"), Code.UNAVAILABLE),
        (channel_errors.UnexpectedError("t"), Code.INTERNAL),
        (channel_errors.BadRequestError("t"), Code.INVALID_ARGUMENT),
        (channel_errors.NetworkError("t"), Code.UNAVAILABLE),
        (channel_errors.UnhealthyError("t"), Code.INTERNAL),
        (channel_errors.FatalProtocolError("t"), Code.INTERNAL),
        (channel_errors.TChannelError.from_code(0x42, "t"), Code.INTERNAL),
        (channel_errors.NoAvailablePeerError("t"), Code.UNAVAILABLE),
        (channel_errors.ReadError("t"), Code.INTERNAL),
        (channel_errors.ValueExpectedError("t"), Code.INTERNAL),
    ],
)
def test_an_error_of_the_channel_is_one_of_yarpc_with_it_as_its_cause(error, code):
    error.service, error.endpoint = "s", "e"
    made = from_tchannel(error)

    assert (made.code, made.message) == (code, "t")
    assert (made.service, made.procedure) == ("s", "e")
    assert made.__cause__ is error
