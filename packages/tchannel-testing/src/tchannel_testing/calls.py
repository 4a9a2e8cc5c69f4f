"""What a double was called with, and assertions that show the difference."""

import dataclasses
import difflib
import pprint
from collections.abc import Iterator
from typing import Any

from tchannel import Request

__all__ = ["Calls", "ReceivedCall"]

#: What can be expected of a call.
_FIELDS = ("body", "headers", "scheme", "caller", "service", "timeout")


@dataclasses.dataclass(slots=True)
class ReceivedCall:
    """A call that arrived, decoded by its scheme."""

    #: The endpoint called.
    endpoint: str
    #: The body; for Thrift, the arguments as a dict.
    body: Any  # as the scheme decodes it
    #: The application headers.
    headers: Any  # as the scheme decodes them
    #: The arg scheme.
    scheme: str
    #: The caller's name.
    caller: str
    #: The service name called.
    service: str | None
    #: Seconds the caller gave it.
    timeout: float | None

    @classmethod
    def of(cls, endpoint: str, request: Request, body: object = None) -> "ReceivedCall":
        """What to remember of ``request``; ``body`` instead of its own when given."""
        transport = request.transport
        return cls(
            endpoint=endpoint,
            body=request.body if body is None else body,
            headers=request.headers,
            scheme=transport.scheme or "",
            caller=transport.caller_name or "",
            service=request.service,
            timeout=request.timeout,
        )


class Calls:
    """The calls that a double received, oldest first; a sequence."""

    def __init__(self) -> None:
        self._calls: list[ReceivedCall] = []

    def add(self, call: ReceivedCall) -> None:
        """Remember a call."""
        self._calls.append(call)

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()

    def to(self, endpoint: str) -> list[ReceivedCall]:
        """The calls of one endpoint."""
        return [call for call in self._calls if call.endpoint == endpoint]

    def assert_called_with(self, endpoint: str, **expected: object) -> None:
        """Some call of ``endpoint`` was as expected.

        :param expected: any of ``body``, ``headers``, ``scheme``, ``caller``, ``service`` and
            ``timeout``; the others do not matter.
        :raises AssertionError: none was; the message shows how the nearest differs.
        :raises TypeError: a name that is none of these.
        """
        __tracebackhide__ = True
        for name in expected:
            if name not in _FIELDS:
                raise TypeError(f"{name!r} is none of {', '.join(_FIELDS)}")
        nearest: dict[str, Any] | None = None
        for call in self.to(endpoint):
            differing = {
                name: getattr(call, name)
                for name, value in expected.items()
                if getattr(call, name) != value
            }
            if not differing:
                return
            if nearest is None or len(differing) < len(nearest):
                nearest = differing
        if nearest is None:
            raise AssertionError(f"{endpoint} was not called; called were {self._endpoints()}")
        count = len(self.to(endpoint))
        lines = [f"none of {count} calls of {endpoint} was as expected; the nearest differs:"]
        for name, value in nearest.items():
            lines += _difference(name, expected[name], value)
        raise AssertionError("\n".join(lines))

    def assert_call_count(self, endpoint: str, count: int) -> None:
        """``endpoint`` was called so many times.

        :raises AssertionError: it was not; the message has the calls.
        """
        __tracebackhide__ = True
        calls = self.to(endpoint)
        if len(calls) != count:
            shown = "".join(f"\n  {call}" for call in calls)
            raise AssertionError(f"{endpoint} was called {len(calls)} times, not {count}{shown}")

    def assert_not_called(self, endpoint: str | None = None) -> None:
        """``endpoint``, or any without one, was never called.

        :raises AssertionError: it was; the message has the calls.
        """
        __tracebackhide__ = True
        calls = self._calls if endpoint is None else self.to(endpoint)
        if calls:
            shown = "".join(f"\n  {call}" for call in calls)
            raise AssertionError(f"{endpoint or 'the service'} was called{shown}")

    def _endpoints(self) -> str:
        return ", ".join(sorted({call.endpoint for call in self._calls})) or "none"

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, index: int) -> ReceivedCall:
        return self._calls[index]

    def __iter__(self) -> Iterator[ReceivedCall]:
        return iter(self._calls)

    def __repr__(self) -> str:
        return f"<Calls {self._calls!r}>"


def _difference(name: str, expected: Any, actual: Any) -> list[str]:
    old, new = (pprint.pformat(value).splitlines() for value in (expected, actual))
    if len(old) == len(new) == 1:
        return [f"  {name}: expected {expected!r}", f"  {' ' * len(name)}       got {actual!r}"]
    lines = difflib.unified_diff(old, new, "expected", "got", lineterm="")
    return [f"  {name}:", *(f"    {line}" for line in lines)]
