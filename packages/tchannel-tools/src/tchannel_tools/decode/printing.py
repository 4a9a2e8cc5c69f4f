"""Calls and events as lines, for people or for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from .._captures.calls import Call, Event
from .._terminal.failures import one_line
from .._terminal.output import print_json_line, print_text
from .bodies import Bodies

__all__ = ["Printer"]


class Printer:
    """Prints calls and events, one a line.

    Args:
        bodies: what shows headers and bodies; None leaves them out.
        as_json: whether an object for programs is printed instead of text.

    """

    def __init__(self, bodies: Bodies | None, *, as_json: bool) -> None:
        self._bodies = bodies
        self.shows_bodies: bool = bodies is not None
        self._as_json = as_json
        self.began: float | None = None
        """The time that the others are shown since, in seconds since the epoch."""

    def call(self, call: Call) -> None:
        """Print a call, and what it carries if that is wanted."""
        if self._as_json:
            print_json_line(self._document(call))
        else:
            self._print_call(call)

    def event(self, event: Event) -> None:
        """Print an event."""
        self._print_event(event)

    def _print_call(self, call: Call) -> None:
        took = "-" if call.latency is None else f"{call.latency * 1000:.2f} ms"
        ended = call.outcome if not call.text else f"{call.outcome}: {call.text}"
        sizes = f"{sum(call.request.sizes[1:])}"
        if call.response is not None:
            sizes += f"/{sum(call.response.sizes[1:])}"
        print_text(
            f"{self._since(call.began)} {took:>12}  {call.caller} -> {call.callee}  "
            f"{one_line(call.service) or '?'} {one_line(call.endpoint) or '?'}  {one_line(ended)}"
            f"  ({one_line(call.scheme) or '?'}, {sizes} bytes)"
        )
        if self._bodies is not None:
            self._print_body("request", self._bodies.request(call))
            answer = self._bodies.response(call)
            if answer is not None:
                self._print_body("answer", answer)

    def _print_body(self, name: str, found: dict[str, Any]) -> None:
        for key in ("headers", "body", "shown"):
            if found.get(key):
                value = found[key]
                text = value if isinstance(value, str) else _json_text(value)
                print_text(f"      {name} {key}: {one_line(text)}")

    def _print_event(self, event: Event) -> None:
        if self._as_json:
            print_json_line(
                {
                    "time": _iso(event.time),
                    "from": event.source,
                    "to": event.target,
                    "event": event.text,
                }
            )
        else:
            print_text(
                f"{self._since(event.time)} {'':>12}  {event.source} -> {event.target}  "
                f"{one_line(event.text)}"
            )

    def _since(self, time: float) -> str:
        if self.began is None:
            self.began = time
        return f"{time - self.began:11.6f}"

    def _document(self, call: Call) -> dict[str, Any]:
        found: dict[str, Any] = {
            "time": _iso(call.began),
            "caller": call.caller,
            "callee": call.callee,
            "id": call.id,
            "service": call.service,
            "endpoint": call.endpoint,
            "scheme": call.scheme,
            "transport": call.headers,
            "ttl": call.ttl_ms / 1000,
            "outcome": call.outcome,
            "text": call.text,
            "latency": call.latency,
            "request_bytes": sum(call.request.sizes[1:]),
            "response_bytes": None if call.response is None else sum(call.response.sizes[1:]),
        }
        if self._bodies is not None:
            found |= {
                "request": self._bodies.request(call),
                "response": self._bodies.response(call),
            }
        return found


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="microseconds")


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
