"""Headers and bodies of captured calls, as far as they can be read."""

from __future__ import annotations

import json
from typing import Any

from tchannel_thrift.rw import ThriftError
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
        interface: The IDL of Thrift bodies, or None: then their fields are numbers.

    """

    def __init__(self, interface: Interface | None) -> None:
        self._functions = {} if interface is None else interface.endpoints()

    def request(self, call: Call) -> dict[str, Any]:
        """Headers and body of the request: ``{"headers": ..., "body": ...}``."""
        return self._shown(call, call.request, answer=False)

    def response(self, call: Call) -> dict[str, Any] | None:
        """The same of the answer; None where there is none."""
        return None if call.response is None else self._shown(call, call.response, answer=True)

    def _shown(self, call: Call, args: Args, *, answer: bool) -> dict[str, Any]:
        _, arg2, arg3 = args.parts
        found = {
            "headers": self._headers(call.scheme, arg2),
            "body": self._body(call, arg3, answer=answer),
        }
        if args.sizes[1:] != [len(arg2), len(arg3)]:
            found["shown"] = f"{len(arg3)} of {args.sizes[2]} bytes"
        return found

    def _headers(self, scheme: str, arg2: bytes) -> Any:
        if scheme == "json" and arg2:
            return _json(arg2)
        if scheme != "raw" and arg2:
            try:
                return decode_thrift_headers(arg2)
            except WireError:
                pass
        return text_or_hex(arg2)

    def _body(self, call: Call, arg3: bytes, *, answer: bool) -> Any:
        if call.scheme == "json" and arg3:
            return _json(arg3)
        if call.scheme == "thrift" and arg3:
            try:
                return self._thrift(call, arg3, answer=answer)
            except (ThriftError, ToolError):
                pass
        return text_or_hex(arg3)

    def _thrift(self, call: Call, arg3: bytes, *, answer: bool) -> Any:
        function = self._functions.get(call.endpoint)
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
