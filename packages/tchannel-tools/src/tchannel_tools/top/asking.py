"""Asking hosts what they are doing: our stats, else tchannel-go's introspection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from tchannel import TChannel, errors
from tchannel.stats import Snapshot

from .._calling.advice import explain
from .._calling.calls import Caller, Message, Target
from .._calling.introspection import SERVICE, introspect
from .._calling.options import Where
from .._terminal.failures import CallFailed, ToolError
from .rows import Host, from_introspection, from_snapshots

__all__ = ["Asking"]

ENDPOINT: Final = "tchannel::stats"
_MOST: Final = 100


class Asking:
    """Asks hosts again and again, over connections that stay.

    Args:
        channel: What to ask with.
        hostports: Whom to ask.
        where: How.

    """

    def __init__(self, channel: TChannel, hostports: Sequence[str], where: Where) -> None:
        self._callers = {
            hostport: Caller(channel, Target(SERVICE, (hostport,), where.caller, where.timeout))
            for hostport in hostports
        }
        self._before: dict[str, Snapshot] = {}
        self._without_stats: set[str] = set()

    async def ask(self) -> list[Host]:
        """Return all hosts, as they are now; one that is down is told as that."""
        return list(await asyncio.gather(*map(self._ask, self._callers)))

    async def _ask(self, hostport: str) -> Host:
        try:
            if hostport not in self._without_stats:
                try:
                    return await self._by_stats(hostport)
                except CallFailed as failure:
                    if not _unknown(failure):
                        raise
                    self._without_stats.add(hostport)
            told = await introspect(
                self._callers[hostport], includeExchanges=True, includeEmptyPeers=True
            )
            return from_introspection(hostport, told)
        except CallFailed as failure:
            # It may be another process when it is there again.
            self._before.pop(hostport, None)
            self._without_stats.discard(hostport)
            target = self._callers[hostport].target
            return Host(hostport, explain(failure, target, hostport), down=not failure.sent)
        except ToolError as error:
            return Host(hostport, str(error))

    async def _by_stats(self, hostport: str) -> Host:
        answer = await self._callers[hostport].call(
            Message("json", ENDPOINT, b"{}", json.dumps({"most": _MOST}).encode()), retry_limit=0
        )
        try:
            if answer.code:
                raise ValueError
            now = Snapshot.from_dict(json.loads(answer.arg3))
            host = from_snapshots(hostport, now, self._before.get(hostport))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise ToolError(f"the answer to {ENDPOINT} makes no sense here") from None
        self._before[hostport] = now
        return host


def _unknown(failure: CallFailed) -> bool:
    return failure.sent and failure.error.code in {errors.BAD_REQUEST, errors.UNEXPECTED_ERROR}
