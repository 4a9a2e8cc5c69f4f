"""Headers and bodies of captured calls, as far as they can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tchannel_thrift.rw import ThriftError
from tchannel_thrift.rw.spec import FunctionSpec
from tchannel_wire import WireError, decode_thrift_headers

from .._captures.calls import Args, Call
from .._idl.interface import Interface
from .._terminal.failures import ToolError
from .._values.forms import Form
from .._values.thrift_answers import AnswerReader
from .._values.thrift_plain import plain_struct, text_or_hex

__all__ = ["Bodies"]

_FORM = Form(i64_as_number=True, exact=True)


class Bodies:
    """Shows what calls carry.

    Args:
        interface: The IDL of Thrift bodies, or what gives that of a service, when a call of it is first
            met. Without an IDL their fields are numbers.

    """

    def __init__(
        self, interface: Interface | Callable[[str], Interface | None] | None = None
    ) -> None:
        self._ask = interface if callable(interface) else lambda service: interface
        self._known: dict[str, dict[str, FunctionSpec]] = {}

    def _functions(self, service: str) -> dict[str, FunctionSpec]:
        found = self._known.get(service)
        if found is None:
            interface = self._ask(service)
            found = self._known[service] = {} if interface is None else interface.endpoints()
        return found

    # Any, here and below: what bodies hold may be anything, as of the json module.
    def request(self, call: Call) -> dict[str, Any]:
        """Headers and body of the request: ``{"headers": ..., "body": ...}``."""
        return self._shown(call, call.request, answer=False)

    def response(self, call: Call) -> dict[str, Any] | None:
        """The same of the answer; None where there is none."""
        return None if call.response is None else self._shown(call, call.response, answer=True)

    def _shown(self, call: Call, args: Args, *, answer: bool) -> dict[str, Any]:
        _, arg2, arg3 = args.parts
        found = {
            "headers": self.headers(call.scheme, arg2),
            "body": self.body(call.service, call.scheme, call.endpoint, arg3, answer=answer),
        }
        if args.sizes[1:] != [len(arg2), len(arg3)]:
            found["shown"] = f"{len(arg3)} of {args.sizes[2]} bytes"
        return found

    def headers(self, scheme: str, arg2: bytes) -> Any:
        """Application headers as they can be shown, or compared."""
        if scheme == "json" and arg2:
            return _json(arg2)
        if scheme != "raw" and arg2:
            try:
                return decode_thrift_headers(arg2)
            except WireError:
                pass
        return text_or_hex(arg2)

    def body(self, service: str, scheme: str, endpoint: str, arg3: bytes, *, answer: bool) -> Any:
        """A body as it can be shown, or compared."""
        if scheme == "json" and arg3:
            return _json(arg3)
        if scheme == "thrift" and arg3:
            try:
                return self._thrift(service, endpoint, arg3, answer=answer)
            except (ThriftError, ToolError):
                pass
        return text_or_hex(arg3)

    def _thrift(self, service: str, endpoint: str, arg3: bytes, *, answer: bool) -> Any:
        function = self._functions(service).get(endpoint)
        if function is None:
            return plain_struct(arg3)
        reader = AnswerReader(arg3, _FORM)
        if not answer:
            return reader.value(function.args_spec)
        if function.result_spec is None:
            return plain_struct(arg3)
        found, unknown = reader.result(function.result_spec)
        return found if unknown is None else {**found, "undeclared": unknown}


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return text_or_hex(data)
