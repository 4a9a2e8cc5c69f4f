"""Asking a process for its live state: ``_gometa_introspect``, which tchannel-go has, and ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tchannel import errors

from .._terminal.failures import CallFailed, ToolError, one_line
from .calls import Caller, Message

__all__ = ["ENDPOINT", "SERVICE", "Introspection", "introspect", "mapping"]

ENDPOINT = "_gometa_introspect"
SERVICE = "tchannel"
"""The service that has it, in every process that does."""


class Introspection:
    """What a process tells of itself; what it does not tell is empty.

    Args:
        state: The answer.

    Attributes:
        state: As given.

    """

    # JSON of others: everything in it may be of any type.
    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def endpoints(self) -> dict[str, list[str]]:
        """The endpoints by service."""
        found: dict[str, list[str]] = {}
        for name, one in mapping(self.state.get("subChannels")).items():
            methods = mapping(mapping(one).get("handler")).get("methods")
            found[str(name)] = [str(one) for one in methods or ()]
        own = str(mapping(self.state.get("localPeer")).get("serviceName") or "")
        if own:
            found.setdefault(own, [])
        return found


# As above.
def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value where it is an object, and an empty one else."""
    return value if isinstance(value, dict) else {}


async def introspect(caller: Caller, **options: bool) -> Introspection:
    """Ask a process.

    Args:
        caller: Whom to ask; its service does not matter.
        options: Of the question, such as ``includeExchanges``.

    Raises:
        CallFailed: It could not be asked.
        ToolError: It does not tell, or in a way of its own.

    """
    try:
        answer = await caller.call(
            Message("json", ENDPOINT, b"{}", json.dumps(options).encode()), service=SERVICE
        )
    except CallFailed as failure:
        code = failure.error.code
        if not failure.sent or code not in {errors.BAD_REQUEST, errors.UNEXPECTED_ERROR}:
            raise
        raise ToolError(
            "the process does not tell what it serves: it answers"
            f" {ENDPOINT} with {one_line(failure.description)!r}"
        ) from None
    try:
        state = json.loads(answer.arg3)
    except (ValueError, RecursionError):
        state = None
    if answer.code or not isinstance(state, dict):
        raise ToolError(f"the answer to {ENDPOINT} is no object of JSON")
    return Introspection(state)
