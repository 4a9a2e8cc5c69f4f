"""The class tree of the errors, what they carry and how they read."""

import asyncio
import builtins
import copy
import pickle
import re

import pytest

from tchannel import errors

TREE = [
    ("TimeoutError", 0x01, "MaybeRetryableError"),
    ("CanceledError", 0x02, "NotRetryableError"),
    ("BusyError", 0x03, "RetryableError"),
    ("DeclinedError", 0x04, "RetryableError"),
    ("UnexpectedError", 0x05, "MaybeRetryableError"),
    ("BadRequestError", 0x06, "NotRetryableError"),
    ("NetworkError", 0x07, "MaybeRetryableError"),
    ("UnhealthyError", 0x08, "NotRetryableError"),
    ("FatalProtocolError", 0xFF, "NotRetryableError"),
    ("ReadError", 0xFF, "FatalProtocolError"),
    ("InvalidChecksumError", 0xFF, "FatalProtocolError"),
    ("AlreadyListeningError", 0xFF, "FatalProtocolError"),
    ("NoAvailablePeerError", None, "RetryableError"),
    ("NotAuthorizedError", 0x06, "BadRequestError"),
    ("OneWayNotSupportedError", 0x06, "BadRequestError"),
    ("ValueExpectedError", 0x06, "BadRequestError"),
    ("SingletonNotPreparedError", None, "TChannelError"),
    ("RetryableError", None, "TChannelError"),
    ("MaybeRetryableError", None, "TChannelError"),
    ("NotRetryableError", None, "TChannelError"),
    ("TChannelError", None, "Exception"),
]
NAMES = [name for name, _, _ in TREE]


@pytest.mark.parametrize(("name", "code", "base"), TREE)
def test_each_class_has_its_code_and_its_base(name: str, code: int | None, base: str) -> None:
    cls = getattr(errors, name)
    assert cls.code == code
    assert cls.__bases__[0].__name__ == base


def test_the_tree_is_complete() -> None:
    classes = {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    assert classes == {*NAMES, "ServiceNameIsRequiredError"}


def test_the_module_docstring_draws_every_class() -> None:
    assert errors.__doc__ is not None
    for name in [*NAMES, "ServiceNameIsRequiredError"]:
        assert re.search(rf"\b{name}\b", errors.__doc__)


def test_constants_are_those_of_the_protocol() -> None:
    assert (
        errors.TIMEOUT,
        errors.CANCELED,
        errors.BUSY,
        errors.DECLINED,
        errors.UNEXPECTED_ERROR,
        errors.BAD_REQUEST,
        errors.NETWORK_ERROR,
        errors.UNHEALTHY,
        errors.FATAL,
    ) == (1, 2, 3, 4, 5, 6, 7, 8, 0xFF)


def test_arguments_are_attributes_and_default_to_none() -> None:
    error = errors.BusyError("full", 7, "tracing")
    assert (error.description, error.id, error.tracing) == ("full", 7, "tracing")
    assert (error.peer, error.service, error.endpoint, error.attempts) == (None, None, None, None)
    empty = errors.BusyError()
    assert (empty.description, empty.id, empty.tracing) == (None, None, None)


def test_text_is_the_description_and_what_is_known_of_the_call() -> None:
    error = errors.TimeoutError(
        "no answer within 1 s", peer="10.0.0.1:4040", service="kv", endpoint="get", attempts=3
    )
    assert str(error) == (
        "no answer within 1 s (service 'kv', endpoint 'get', peer 10.0.0.1:4040, 3 attempts)"
    )
    assert str(errors.BusyError("full")) == "full"
    assert str(errors.BusyError("full", attempts=1)) == "full (1 attempt)"
    assert str(errors.BusyError()) == "BusyError"
    assert repr(errors.BusyError("full", service="kv")) == "BusyError(\"full (service 'kv')\")"


def test_context_added_later_shows_in_the_text() -> None:
    error = errors.NetworkError("connection refused")
    error.peer = "[::1]:4040"
    assert str(error) == "connection refused (peer [::1]:4040)"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_errors_survive_pickle_and_copy(name: str, protocol: int) -> None:
    error = getattr(errors, name)(
        "x", 7, peer="h:1", service="s", endpoint="e", attempts=2, tracing=(1, 2, 3)
    )
    for twin in (
        pickle.loads(pickle.dumps(error, protocol)),
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(twin) is type(error)
        assert twin is not error
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)
        assert twin.code == error.code


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 8, 0xFF])
def test_from_code_gives_the_class_of_the_code(code: int) -> None:
    error = errors.TChannelError.from_code(
        code, description="d", id=3, tracing="t", peer="h:1", service="s", endpoint="e", attempts=1
    )
    assert error.code == code
    assert type(error) is not errors.TChannelError
    assert "code" not in vars(error)
    assert (error.description, error.id, error.tracing) == ("d", 3, "t")
    assert (error.peer, error.service, error.endpoint, error.attempts) == ("h:1", "s", "e", 1)


@pytest.mark.parametrize("code", [0, 9, 0x42, 0xFE])
def test_an_unknown_code_gives_an_error_that_keeps_it(code: int) -> None:
    error = errors.TChannelError.from_code(code, description="from the future")
    assert type(error) is errors.TChannelError
    assert error.code == code
    assert error.description == "from the future"
    assert pickle.loads(pickle.dumps(error)).code == code
    assert errors.TChannelError.code is None


def test_timeout_is_also_the_builtin_and_that_of_asyncio() -> None:
    assert issubclass(errors.TimeoutError, builtins.TimeoutError)
    assert issubclass(errors.TimeoutError, asyncio.TimeoutError)
    with pytest.raises(builtins.TimeoutError):
        raise errors.TimeoutError("late")


def test_network_error_is_also_a_connection_error() -> None:
    assert issubclass(errors.NetworkError, ConnectionError)


@pytest.mark.parametrize("name", [*NAMES, "ServiceNameIsRequiredError"])
def test_no_error_looks_like_a_cancelled_task(name: str) -> None:
    assert not issubclass(getattr(errors, name), asyncio.CancelledError)


def test_a_missing_service_name_is_a_value_error() -> None:
    assert issubclass(errors.ServiceNameIsRequiredError, ValueError)
    assert not issubclass(errors.ServiceNameIsRequiredError, errors.TChannelError)


def test_a_description_that_is_no_text_becomes_one() -> None:
    assert errors.BadRequestError(ValueError("no such key")).description == "no such key"  # type: ignore[arg-type]  # what users write
