"""The arg schemes: from the command line to bytes, and from the answer to what is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tchannel_wire import ProtocolError, decode_thrift_headers, encode_thrift_headers

from .bodies import Given
from .calls import Answer, Message
from .failures import ToolError, one_line
from .thrift_values import FromJSON, to_json

if TYPE_CHECKING:
    from tchannel_thrift.rw import spec as specs

__all__ = ["JSONCall", "RawCall", "Result", "SchemeCall", "ThriftCall"]


@dataclass(frozen=True, slots=True)
class Result:
    """An answer, to be shown.

    Attributes:
        ok: Whether it is no application error.
        document: What to print as JSON; None for raw bytes.
        raw: The bytes to print instead.
        note: One line about an application error; "" if there is none.

    """

    ok: bool
    document: dict[str, object] | None
    raw: bytes = b""
    note: str = ""


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

    def __init__(self, endpoint: str, headers: Given | None, body: Given | None) -> None:
        self.warnings: list[str] = []
        self.message = Message("json", endpoint, _dump(headers), _dump(body))

    def read(self, answer: Answer) -> Result:
        """Headers and body as values."""
        head = _load(answer.arg2, "headers") if answer.arg2 else None
        body = _load(answer.arg3, "body") if answer.arg3 else {}
        ok = not answer.code
        document = {"ok": ok, "head": head, "body": body, "headers": dict(answer.headers)}
        return Result(ok, document, note="" if ok else _application_error(body))


class ThriftCall:
    """A call of a Thrift function.

    Args:
        endpoint: ``Service::function``.
        function: The function.
        headers: Application headers.
        body: The arguments: an object with the names of the IDL.

    Raises:
        ToolError: Headers or arguments do not fit.

    """

    def __init__(
        self,
        endpoint: str,
        function: specs.FunctionSpec,
        headers: Given | None,
        body: Given | None,
    ) -> None:
        self._endpoint = endpoint
        self._function = function
        surface = function.surface
        assert surface is not None, "a loaded function has classes"
        self._response: Any = surface.response
        reader = FromJSON()
        what = "the body" if body is None else body.what
        value = {} if body is None else body.as_value()
        if value is None and not function.args_spec.fields:
            value = {}
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
        response = self._response
        try:
            result = response.__thrift_module__.loads(response, answer.arg3)
            head = decode_thrift_headers(answer.arg2)
        except ProtocolError as error:
            raise ToolError(f"the answer's headers are no Thrift headers: {error}") from None
        except Exception as error:
            return self._unreadable(answer, error)
        spec: specs.FunctionResultSpec = response.type_spec
        document: dict[str, object] = {"ok": not answer.code, "head": head}
        for field in spec.exception_specs:
            value = getattr(result, field.name)
            if value is not None:
                document["ok"] = False
                body = document["body"] = to_json(field.spec, value)
                document["headers"] = dict(answer.headers)
                document["typeName"] = field.name
                document["exception"] = field.spec.name
                return Result(False, document, note=_declared(field.spec.name, body))
        if spec.return_spec is not None:
            document["body"] = to_json(spec.return_spec, result.success)
        document["headers"] = dict(answer.headers)
        ok = not answer.code
        return Result(ok, document, note="" if ok else "application error of no declared type")

    def _unreadable(self, answer: Answer, error: Exception) -> Result:
        reason = one_line(str(error))
        if type(error).__name__ == "UnknownExceptionError":
            note = "exception that the IDL does not declare; is the Thrift file up to date?"
            document = {"ok": False, "head": {}, "body": None, "headers": dict(answer.headers)}
            return Result(False, document, note=note)
        returns = self._response.type_spec.return_spec
        if answer.arg3 == b"\0" and returns is not None:
            raise ToolError(
                f"the answer of {self._endpoint} has no value, but it returns {returns.name}"
            ) from None
        raise ToolError(f"the answer does not fit the IDL of {self._endpoint}: {reason}") from None


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
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"the {what} of the answer are no JSON: {error}; try --raw") from None


def _dump_thrift_headers(given: Given | None) -> bytes:
    value = {} if given is None else given.as_value()
    if not isinstance(value, dict):
        raise ToolError(f"the headers of a Thrift call are an object of text, not {value!r:.60}")
    try:
        return encode_thrift_headers(value)
    except (TypeError, ValueError) as error:
        raise ToolError(f"the headers do not fit a Thrift call: {error}") from None
