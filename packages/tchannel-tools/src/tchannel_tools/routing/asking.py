"""What a router knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

from tchannel import TChannel, errors
from tchannel_hyperbahn import InvalidServiceName, NoPeersAvailable, discover

from .._calling.advice import explain
from .._calling.calls import Caller, Message
from .._calling.options import Where
from .._terminal.failures import CallFailed, ToolError, one_line

__all__ = ["RouterFailed", "advertised_names", "instances"]

ADMIN: Final = "autobahn"
"""Hyperbahn's service for those who run it."""
_CHANNELS: Final = "channels_v1"
_NO_ROUTER: Final = frozenset({errors.BAD_REQUEST, errors.DECLINED})
_HINT: Final = "; is it a Hyperbahn, or the router for development?"


class RouterFailed(Exception):
    """A router did not answer; the text is the line for the user.

    Args:
        text: What went wrong.
        exit_code: How the process ends if no router answers.

    """

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


async def advertised_names(channel: TChannel, where: Where, router: str) -> list[str]:
    """Return the names that are advertised with a router, sorted.

    Raises:
        RouterFailed: It does not answer.
        ToolError: Its answer makes no sense.

    """
    target = Where((router,), (), where.tls, where.timeout, where.caller).target(ADMIN)
    caller = Caller(channel, target)
    try:
        answer = await caller.call(Message("json", _CHANNELS, b"{}", b"{}"))
    except CallFailed as failure:
        said = explain(failure, target, router, "json")
        if failure.sent and failure.error.code in _NO_ROUTER:
            said = f"it does not tell what it routes: {one_line(failure.description)}{_HINT}"
        raise RouterFailed(f"{router}: {said}", failure.exit_code) from None
    try:
        body = json.loads(answer.arg3)
    except (ValueError, RecursionError):
        body = None
    if answer.code or not isinstance(body, dict):
        raise ToolError(f"{router} answers {_CHANNELS} of {ADMIN} with what makes no sense")
    return sorted(str(name) for name, one in body.items() if _is_relayed(one))


# JSON of others.
def _is_relayed(channel: Any) -> bool:
    """Whether calls are sent on; those of the router itself end in it."""
    return isinstance(channel, dict) and "relay" in str(channel.get("handlerType"))


async def instances(
    channel: TChannel, where: Where, router: str, services: Sequence[str]
) -> dict[str, list[str]]:
    """Return where services are, as a router has it; an empty list where nobody serves the name.

    Raises:
        RouterFailed: It does not answer.

    """

    async def ask(service: str) -> list[str]:
        try:
            return sorted(await discover(channel, service, [router], timeout=where.timeout))
        except (NoPeersAvailable, InvalidServiceName):
            return []
        except errors.TChannelError as error:
            failure = CallFailed(error, sent=error.id is not None)
            said = one_line(error.description or str(error))
            said += _HINT if error.code in _NO_ROUTER else ""
            raise RouterFailed(f"{router}: {said}", failure.exit_code) from None

    found = await asyncio.gather(*map(ask, services))
    return dict(zip(services, found, strict=True))
