"""Answers beside those that were recorded."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from .._recordings.recording import Recording, Reply
from .._terminal.failures import one_line
from ..decode.bodies import Bodies

__all__ = ["Comparing"]

_TRACING: Final = "$tracing$"
_SHOWN: Final = 60


class Comparing:
    """Says how an answer differs from the recorded one.

    JSON and Thrift are compared as values: how they are written does not matter, nor does the order of
    a Thrift map. Tracing headers differ with each call, and do not count.

    Args:
        bodies: Reads headers and bodies.
        ignored: Names of fields, at any depth, and of application headers, that do not count.

    """

    def __init__(self, bodies: Bodies, ignored: Collection[str] = ()) -> None:
        self._bodies = bodies
        self._ignored = frozenset(ignored)

    def difference(self, one: Recording, now: Reply) -> str | None:
        """Return the first difference, as a phrase; None where there is none.

        Args:
            one: The recorded call, with a reply.
            now: What came of it this time.

        """
        was = one.reply
        assert was is not None, "only compared with one"
        if was.outcome != now.outcome:
            told = f"{now.outcome}: {now.text}" if now.text else now.outcome
            return one_line(f"was {was.outcome}, is {told}")
        if not was.answered:
            return None  # the same code; texts are for people
        scheme = one.message.scheme
        if was.arg2 != now.arg2:
            heads = [
                self._headers(self._bodies.headers(scheme, arg2)) for arg2 in (was.arg2, now.arg2)
            ]
            found = self._find(heads[0], heads[1], "headers")
            if found is not None:
                return found
        if was.arg3 == now.arg3:
            return None
        values = [
            self._bodies.body(one.service, scheme, one.message.endpoint, arg3, answer=True)
            for arg3 in (was.arg3, now.arg3)
        ]
        if scheme not in {"json", "thrift"} or not all(isinstance(v, dict | list) for v in values):
            if values[0] == values[1] and scheme == "json":
                return None
            return _differ("body", *values)
        return self._find(values[0], values[1], "body")

    # What bodies and headers hold may be anything.
    def _headers(self, headers: Any) -> Any:
        if not isinstance(headers, dict):
            return headers or {}
        return {key: value for key, value in headers.items() if not key.startswith(_TRACING)}

    def _find(self, was: Any, now: Any, where: str) -> str | None:
        if isinstance(was, dict) and isinstance(now, dict):
            for key in [*was, *(key for key in now if key not in was)]:
                if key in self._ignored:
                    continue
                place = f"{where}.{key}"
                if key not in now:
                    return one_line(f"{place} is missing (was {_shown(was[key])})")
                if key not in was:
                    return one_line(f"{place} is new ({_shown(now[key])})")
                found = self._find(was[key], now[key], place)
                if found is not None:
                    return found
            return None
        if isinstance(was, list) and isinstance(now, list):
            if len(was) != len(now):
                return f"{where} had {len(was)} items, has {len(now)}"
            for index, (one, other) in enumerate(zip(was, now, strict=True)):
                found = self._find(one, other, f"{where}[{index}]")
                if found is not None:
                    return found
            return None
        if type(was) is type(now) and was == now:
            return None
        if isinstance(was, int | float) and isinstance(now, int | float) and was == now:
            return (
                None if isinstance(was, bool) == isinstance(now, bool) else _differ(where, was, now)
            )
        return _differ(where, was, now)


def _differ(where: str, was: Any, now: Any) -> str:
    return one_line(f"{where} was {_shown(was)}, is {_shown(now)}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
