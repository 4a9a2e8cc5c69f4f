"""The request that is being handled."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tchannel._ground.current import current_call
from tchannel.context import current_request


@pytest.fixture
def call() -> Any:
    call = SimpleNamespace(answered=False)
    token = current_call.set(call)  # type: ignore[arg-type] # all that the module looks at
    yield call
    current_call.reset(token)


def test_there_is_none_outside_of_handlers() -> None:
    assert current_request() is None


def test_it_is_the_call_until_that_is_answered(call: Any) -> None:
    assert current_request() is call
    assert asyncio.run(asyncio.to_thread(current_request)) is call
    call.answered = True
    assert current_request() is None
