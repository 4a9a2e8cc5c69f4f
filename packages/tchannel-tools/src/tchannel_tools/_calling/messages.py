"""The arg schemes: from the command line to bytes, and from the answer to what is printed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tchannel_thrift.rw import spec as specs
from tchannel_wire import ProtocolError, decode_thrift_headers, encode_thrift_headers

from .._idl.interface import Interface
from .._terminal.failures import ToolError, one_line
from .._values.bodies import Given, refuse_constant
from .._values.forms import Form, hydrated_error
from .._values.thrift_answers import AnswerReader
from .._values.thrift_values import FromJSON
from .calls import Answer, Message

__all__ = ["JSONCall", "RawCall", "Result", "SchemeCall", "ThriftCall", "make_call"]

_NODES_FORM: Final = Form()


@dataclass(frozen=True, slots=True)
class Result:
    """An answer, to be shown.

    Attributes:
        ok: Whether it is no application error.
        document: What to print as JSON; None for raw bytes.
        raw: The bytes to print instead.
        note: One line about an application error; "" if there is none.
        losses: What is shown other than it is, a phrase each.
        i64_as_bytes: Whether an i64 is shown as its bytes.

    """

    ok: bool
    document: dict[str, object] | None
    raw: bytes = b""
    note: str = ""
    losses: Sequence[str] = ()
    i64_as_bytes: bool = False


class SchemeCall(Protocol):
    """A call in one of the arg schemes.

    Attributes:
        message: What is sent.
        warnings: What the user should know of it, one line each.

    """

    message: Message
    warnings: list[str]

    def read(self, answer: Answer) -> Result:
        """Make the result of the answer; raises ToolError if it cannot be read."""
        ...


class RawCall:
    """A call of bytes."""

    def __init__(self, endpoint: str, headers: Given | None, body: Given | None) -> None:
        self.warnings: list[str] = []
        self.message = Message(
            "raw",
            endpoint,
            b"" if headers is None else headers.as_bytes(),
            b"" if body is None else body.as_bytes(),
        )

    def read(self, answer: Answer) -> Result:
        """The body as it is."""
        ok = not answer.code
        return Result(ok, None, answer.arg3, "" if ok else "application error")


class JSONCall:
    """A call of JSON; without a body it sends an empty object, as the Node tool does."""

    def __init__(
        self, endpoint: str, headers: Given | None, body: Given | None, form: Form = _NODES_FORM
    ) -> None:
        self.warnings: list[str] = []
        self._form = form
        self.message = Message("json", endpoint, _dump(headers), _dump(body))

    def read(self, answer: Answer) -> Result:
        """Headers and body as values."""
        ok = not answer.code
        if ok:
            head = _load(answer.arg2, "headers of the answer are") if answer.arg2 else None
            body = shown = _load(answer.arg3, "body of the answer is") if answer.arg3 else None
        else:
            # Of an application error all is shown that came, JSON or not: it says what went wrong.
            head, _ = _load_or_text(answer.arg2)
            body, is_json = _load_or_text(answer.arg3)
            shown = hydrated_error(body) if is_json and not self._form.exact else body
        document = {"ok": ok, "head": head, "body": shown, "headers": dict(answer.headers)}
        return Result(ok, document, note="" if ok else _application_error(body))


class ThriftCall:
    """A call of a Thrift function.

    Args:
        endpoint: ``Service::function``.
        function: The function.
        headers: Application headers.
        body: The arguments: an object with the names of the IDL.
        form: How to show the answer.

    Raises:
        ToolError: Headers or arguments do not fit.

    """

    def __init__(
        self,
        endpoint: str,
        function: specs.FunctionSpec,
        headers: Given | None,
        body: Given | None,
        form: Form = _NODES_FORM,
    ) -> None:
        self._endpoint = endpoint
        self._form = form
        surface = function.surface
        result = function.result_spec
        assert surface is not None, "a loaded function has classes"
        assert result is not None, "a function that is called is not oneway"
        self._result: specs.FunctionResultSpec = result
        reader = FromJSON()
        what = "the body" if body is None else body.what
        value = {} if body is None else body.as_value()
        if value in (None, "null"):
            # What people write for no arguments.
            value = {}
        if not isinstance(value, dict):
            names = ", ".join(field.name for field in function.args_spec.fields) or "none"
            raise ToolError(
                f"{what} must be an object with the arguments of {endpoint} ({names}),"
                f" not {value!r:.60}"
            )
        arguments = reader.value(function.args_spec, value, what.removeprefix("the "))
        self.warnings = [f"{field} is not in the IDL, and is left out" for field in reader.unknown]
        module: Any = surface.request.__thrift_module__
        try:
            arg3 = module.dumps(arguments)
        except (TypeError, ValueError) as error:
            raise ToolError(f"{what} does not fit {endpoint}: {one_line(str(error))}") from None
        self.message = Message("thrift", endpoint, _dump_thrift_headers(headers), arg3)

    def read(self, answer: Answer) -> Result:
        """Headers and result, or the declared exception."""
        reader = AnswerReader(answer.arg3, self._form)
        try:
            found, unknown = reader.result(self._result)
            head = decode_thrift_headers(answer.arg2)
        except ProtocolError as error:
            raise ToolError(f"the answer's headers are no Thrift headers: {error}") from None
        except Exception as error:
            reason = one_line(str(error))
            raise ToolError(
                f"the answer does not fit the IDL of {self._endpoint}: {reason}"
            ) from None
        ok, fields, note = self._outcome(answer.code, found, unknown)
        body = {name: fields.pop(name) for name in ("body",) if name in fields}
        return Result(
            ok,
            {"ok": ok, "head": head, **body, "headers": dict(answer.headers), **fields},
            note=note,
            losses=reader.losses,
            i64_as_bytes=reader.i64_as_bytes,
        )

    def _outcome(
        self, code: int, found: Mapping[str, Any], unknown: Any
    ) -> tuple[bool, dict[str, object], str]:
        """Whether the call went well, what to show of its result, and what to say of it."""
        for field in self._result.exception_specs:
            if field.name in found:
                body, name = found[field.name], field.spec.name
                fields = {"body": body, "typeName": field.name, "exception": name}
                return False, fields, _declared(name, body)
        if unknown is not None:
            note = "exception that the IDL does not declare; is the Thrift file up to date?"
            return False, {"body": {"thrift": unknown}, "typeName": "failure"}, note
        returns = self._result.return_spec
        if code:
            note = "application error of no declared type"
            if "success" in found:
                return False, {"body": found["success"], "typeName": "success"}, note
            return False, {}, note
        if returns is None:
            return True, {}, ""
        note = "" if "success" in found else f"the answer has no value, but could be {returns.name}"
        return True, {"body": found.get("success")}, note


def make_call(
    scheme: str,
    endpoint: str,
    headers: Given | None,
    body: Given | None,
    interface: Interface | None = None,
    form: Form = _NODES_FORM,
) -> SchemeCall:
    """Return a call in an arg scheme.

    Args:
        scheme: ``"raw"``, ``"json"`` or ``"thrift"``.
        endpoint: The endpoint.
        headers: Application headers.
        body: The body.
        interface: Whose endpoint it is, for Thrift.
        form: How to show the answer.

    Raises:
        ToolError: The interface has no such endpoint, or headers or body do not fit.

    """
    if scheme == "raw":
        return RawCall(endpoint, headers, body)
    if scheme == "json":
        return JSONCall(endpoint, headers, body, form)
    assert interface is not None, "a Thrift call has an interface"
    return ThriftCall(endpoint, interface.function(endpoint), headers, body, form)


def _declared(name: str, body: Mapping[str, object]) -> str:
    fields = ", ".join(
        f"{field}={json.dumps(value, ensure_ascii=False)}"
        for field, value in body.items()
        if value is not None
    )
    return one_line(f"exception {name}({fields})")


def _application_error(body: object) -> str:
    parts = ["application error"]
    if isinstance(body, dict):
        parts += [str(body[key]) for key in ("type", "message") if isinstance(body.get(key), str)]
    return one_line(": ".join(parts))


def _dump(given: Given | None) -> bytes:
    if given is None:
        return b"{}"
    value = given.as_value()
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        # YAML has dates, numbers that are none, and keys of any type.
        raise ToolError(f"{given.what} cannot become JSON: {error}") from None


def _load(data: bytes, what: str) -> Any:
    try:
        return json.loads(data, parse_constant=refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"the {what} no JSON: {error}; try --raw") from None


# As _load.
def _load_or_text(data: bytes) -> tuple[Any, bool]:
    """The value of JSON, or the text where it is none; and which of them it is."""
    try:
        return _load(data, "") if data else None, True
    except ToolError:
        return data.decode(errors="replace"), False


def _finite(digits: str) -> float | None:
    # JSON has no infinity; what is too large for a double is null for JavaScript.
    number = float(digits)
    return number if math.isfinite(number) else None


def _dump_thrift_headers(given: Given | None) -> bytes:
    value = {} if given is None else given.as_value()
    if not isinstance(value, dict):
        raise ToolError(f"the headers of a Thrift call are an object of text, not {value!r:.60}")
    try:
        return encode_thrift_headers(value)
    except (TypeError, ValueError) as error:
        raise ToolError(f"the headers do not fit a Thrift call: {error}") from None
