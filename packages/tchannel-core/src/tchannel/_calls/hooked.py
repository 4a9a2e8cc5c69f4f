"""Calls whose headers are encoded only after hooks that are coroutines have seen them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from .. import errors
from .._ground.tasks import start_task
from .._ground.timeouts import seconds
from ..event import EventType, when_ended
from .pending import CallHabits, PendingCall, state_of

if TYPE_CHECKING:
    from ..channel import TChannel

__all__ = ["start_watched"]

_BEFORE_HEADERS: Final = EventType.before_serialize_request_headers

# Where they stand among the arguments of `start_call`.
_SERVICE, _ENDPOINT, _ARG2, _TIMEOUT = 1, 2, 3, 6


def start_watched(
    channel: TChannel,
    headers: Mapping[str, str] | None,
    encode: Callable[[dict[str, str]], bytes] | None,
    *arguments: object,
) -> PendingCall[Any]:  # of whatever the scheme decodes
    """Fire `before_serialize_request_headers`, then start the call.

    Args:
        channel: Whose call it is.
        headers: The application headers that hooks may change.
        encode: Makes arg2 of them; None for a scheme without headers by name: hooks get None, and the
            arg2 given goes out.
        *arguments: Those of `Calling.start_call`, from its first one.

    """
    changed = dict(headers or {}) if encode is not None else None
    channel.use_loop()
    loop = channel.loop
    assert loop is not None
    hooks = channel.hooks.event_emitter.fire(_BEFORE_HEADERS, changed, arguments[_SERVICE], loop)
    start = partial(_start, channel, changed, encode, arguments)
    if hooks is None:
        return start()
    task = start_task(loop, _start_after(channel, hooks, start, arguments))
    return cast("PendingCall[object]", _LateCall(task))


def _start(
    channel: TChannel,
    headers: dict[str, str] | None,
    encode: Callable[[dict[str, str]], bytes] | None,
    arguments: tuple[Any, ...],
) -> PendingCall[object]:
    if headers is not None and encode is not None:
        arguments = (*arguments[:_ARG2], encode(headers), *arguments[_ARG2 + 1 :])
    return channel.start_call(*arguments)


async def _start_after(
    channel: TChannel,
    hooks: list[asyncio.Future[object]],
    start: Callable[[], PendingCall[object]],
    arguments: tuple[Any, ...],
) -> object:
    timeout = seconds(arguments[_TIMEOUT], channel.options.default_timeout)
    clock = channel.clock
    ended = asyncio.get_running_loop().create_future()

    def end(in_time: bool) -> None:
        if not ended.done():
            ended.set_result(in_time)

    timer = clock.call_at(clock.time() + timeout, end, False)
    when_ended(hooks, partial(end, True))
    try:
        in_time = await ended
    finally:
        timer.cancel()
    if not in_time:
        raise errors.TimeoutError(
            f"hooks held the call up for {timeout:g} s",
            service=arguments[_SERVICE],
            endpoint=arguments[_ENDPOINT],
            attempts=0,
        )
    return await start()


class _LateCall(asyncio.Future[object], CallHabits):
    """What the caller holds while hooks hold the call up."""

    __slots__ = ("_task",)

    def __init__(self, task: asyncio.Task[object]) -> None:
        super().__init__(loop=task.get_loop())
        # The call is a part of it: cancelling it cancels whichever is under way.
        self._task = task
        task.add_done_callback(self._ended, context=Context())

    def cancel(self, msg: object | None = None) -> bool:
        """Cancel the call, or end it before it has begun."""
        if self.done():
            return False
        self._task.cancel(msg)
        return super().cancel(msg)

    def __repr__(self) -> str:
        return f"<PendingCall held up by hooks: {state_of(self)}>"

    def _ended(self, task: asyncio.Task[object]) -> None:
        error = None if task.cancelled() else task.exception()
        if self.done():
            return
        if task.cancelled():
            super().cancel()
        elif error is not None:
            self.set_exception(error)
            # Looked at once, so that an ignored call makes no "never retrieved" noise.
            self.exception()
        else:
            self.set_result(task.result())
