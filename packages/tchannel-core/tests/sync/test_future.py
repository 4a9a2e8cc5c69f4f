"""The future of a call in another thread's loop, with that loop in this thread."""

import asyncio
import concurrent.futures
import logging
from typing import Any

import pytest

from tchannel import errors
from tchannel.sync.future import CallFuture


@pytest.fixture
def pending() -> set[CallFuture[Any]]:
    return set()


@pytest.fixture
def future(pending: set[CallFuture[Any]]) -> CallFuture[Any]:
    future = CallFuture[Any](pending)
    pending.add(future)
    return future


async def test_it_takes_the_result_of_the_call(
    future: CallFuture[Any], pending: set[CallFuture[Any]]
) -> None:
    call: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    future.begin(lambda *args, **kwargs: call, (), {})
    assert pending == {future}
    call.set_result("result")
    await asyncio.sleep(0)
    assert future.result(0) == "result"
    assert pending == set()


async def test_a_plain_result_is_set_at_once(
    future: CallFuture[Any], pending: set[CallFuture[Any]]
) -> None:
    future.begin(divmod, (7, 3), {})
    assert future.result(0) == (2, 1)
    assert pending == set()


async def test_a_call_cancelled_before_it_began_is_never_made(
    future: CallFuture[Any], pending: set[CallFuture[Any]]
) -> None:
    assert future.cancel()
    future.begin(pytest.fail, ("the call was made",), {})
    assert concurrent.futures.wait([future], 0).done == {future}
    assert pending == set()


async def test_an_answer_that_crosses_a_cancel_is_dropped(
    future: CallFuture[Any], caplog: pytest.LogCaptureFixture
) -> None:
    call: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    future.begin(lambda: call, (), {})
    call.set_exception(errors.BusyError("full"))
    assert future.cancel()
    assert future.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert future.cancelled()
    assert concurrent.futures.wait([future], 0).done == {future}
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_cancelling_after_the_loop_closed_is_no_error(future: CallFuture[Any]) -> None:
    loop = asyncio.new_event_loop()
    call = loop.create_future()

    async def begin() -> None:
        future.begin(lambda: call, (), {})

    loop.run_until_complete(begin())
    loop.close()
    assert future.cancel()
    future.abandon()
    assert concurrent.futures.wait([future], 0).done == {future}


def test_an_abandoned_call_is_a_cancelled_one(future: CallFuture[Any]) -> None:
    future.abandon()
    with pytest.raises(errors.CanceledError, match="the channel was closed"):
        future.result(0)


async def test_awaiting_it_says_what_to_do_instead(future: CallFuture[Any]) -> None:
    waits: Any = future

    with pytest.raises(TypeError, match=r"with \.result\(\), in a thread; .* tchannel\.TChannel"):
        await waits


@pytest.mark.parametrize("name", ["body", "headers", "status", "transport"])
def test_what_belongs_to_the_response_says_to_wait_for_it(name: str) -> None:
    future: CallFuture[None] = CallFuture(set())

    with pytest.raises(AttributeError, match=rf"write \.result\(\)\.{name}"):
        getattr(future, name)
    assert not hasattr(future, name)
