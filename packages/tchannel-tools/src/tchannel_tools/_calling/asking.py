"""Asking a service for something, as a command does: a channel, one question, the exit code."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable

from .._terminal.failures import CallFailed
from .._terminal.output import print_note
from .advice import explain
from .calls import Caller
from .connecting import make_channel
from .options import Where

__all__ = ["ask"]


def ask(
    command: str,
    where: Where,
    service: str,
    question: Callable[[Caller], Awaitable[int]],
    *,
    debug: bool,
) -> int:
    """Ask, and tell the user what is wrong with the call.

    Args:
        command: What the user calls the command.
        where: Whom to ask.
        service: The service.
        question: What to ask; returns the exit code, and may raise CallFailed.
        debug: Whether to show tracebacks.

    Returns:
        The exit code.

    Raises:
        ToolError: Something is wrong on this side.

    """
    return asyncio.run(_ask(command, where, service, question, debug=debug))


async def _ask(
    command: str,
    where: Where,
    service: str,
    question: Callable[[Caller], Awaitable[int]],
    *,
    debug: bool,
) -> int:
    target = where.target(service)
    channel = make_channel(target, where.tls)
    caller = Caller(channel, target)
    try:
        return await question(caller)
    except CallFailed as failure:
        if debug:
            traceback.print_exception(failure.error)
        peer = caller.facts.peer if caller.facts is not None else ""
        print_note(command, explain(failure, target, peer))
        return failure.exit_code
    finally:
        # Nothing is in flight any more that is worth waiting for.
        await channel.close(grace=0.1)
