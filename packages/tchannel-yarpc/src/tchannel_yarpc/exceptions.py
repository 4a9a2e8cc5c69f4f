"""What YARPC tells about a declared Thrift exception besides the exception itself.

Its name, what it holds as text, and the code that the IDL gives it::

    exception MissingEntry { 1: required string name } (rpc.code = "NOT_FOUND")

Proxies and metrics read these; the caller's program has the exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from .codes import Code, code_named
from .headers import ERROR_DETAILS, EXCEPTION_CODE, EXCEPTION_NAME

__all__ = ["ApplicationError", "attach", "describe"]

_ATTRIBUTE: Final = "application_error"
_MOST: Final = 256
_TRUNCATED: Final = " (truncated)"
_ANNOTATION: Final = "rpc.code"


class ApplicationError(NamedTuple):
    """What the answer said about a declared Thrift exception."""

    name: str
    """Its type by the IDL."""

    details: str = ""
    """What it holds, as text for people; at most 256 bytes and a mark where it was cut."""

    code: Code | None = None
    """The code that the IDL gives it (``rpc.code``); None without one."""

    @classmethod
    def of(cls, exception: BaseException) -> ApplicationError | None:
        """Return what came with an exception that a call raised; None where nothing did."""
        found = getattr(exception, _ATTRIBUTE, None)
        return found if isinstance(found, cls) else None

    def to_headers(self) -> dict[str, str]:
        """Return the headers of the answer that say it."""
        headers = {EXCEPTION_NAME: self.name, ERROR_DETAILS: self.details}
        if self.code is not None:
            headers[EXCEPTION_CODE] = str(int(self.code))
        return headers

    @classmethod
    def from_headers(cls, reserved: Mapping[str, str]) -> ApplicationError | None:
        """Return what the headers of an answer say; None where they name no exception.

        A code that is none is left out: it came from a peer, and nothing depends on it.
        """
        name = reserved.get(EXCEPTION_NAME)
        if name is None:
            return None
        number = reserved.get(EXCEPTION_CODE, "")
        code = _BY_NUMBER.get(number)
        return cls(name, reserved.get(ERROR_DETAILS, ""), code)


_BY_NUMBER: Final = {str(int(code)): code for code in Code}


def attach(exception: BaseException, application_error: ApplicationError) -> None:
    """Let an exception carry what came with it, unless the IDL has a field of that name."""
    if not any(name == _ATTRIBUTE for name, _ in _fields(exception)):
        # Not by the class's own `__setattr__`: Apache has exceptions whose one raises.
        BaseException.__setattr__(exception, _ATTRIBUTE, application_error)


def describe(exception: BaseException) -> ApplicationError:
    """Return what the answer is to say about an exception that a handler raised."""
    spec = getattr(type(exception), "type_spec", None)
    name = spec.name if spec is not None else type(exception).__name__
    annotations: Mapping[str, str | None] = getattr(spec, "annotations", {})
    details = _text(exception).encode("utf-8", "replace")
    cut = details[:_MOST].decode("utf-8", "ignore")
    return ApplicationError(
        str(name),
        cut + _TRUNCATED if len(details) > _MOST else cut,
        code_named(annotations.get(_ANNOTATION) or ""),
    )


def _fields(struct: object) -> Iterator[tuple[str, object]]:
    """The fields of a struct or exception, whichever library made it."""
    cls = type(struct)
    spec = getattr(cls, "type_spec", None)
    if spec is not None:
        names = [field.name for field in spec.fields]
    else:
        entries = getattr(cls, "thrift_spec", None) or ()
        names = [entry[2] for entry in entries if entry is not None]
    for name in names:
        yield name, getattr(struct, name, None)


def _text(value: object, depth: int = 0) -> str:
    """Return a value as Go prints it, which is what others have there: ``Name{Field: value}``.

    Of containers only so many elements as may fit: the rest would be cut off anyway.
    """
    if depth > _DEEPEST:
        return "..."
    depth += 1
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _listed([str(byte) for byte in value[:_MOST]])
    if isinstance(value, Mapping):
        items = islice(value.items(), _MOST)
        pairs = [f"{_text(key, depth)}:{_text(item, depth)}" for key, item in items]
        return f"map{_listed(pairs)}"
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return _listed([_text(item, depth) for item in islice(value, _MOST)])
    if hasattr(type(value), "type_spec") or hasattr(type(value), "thrift_spec"):
        known = [(name, item) for name, item in _fields(value) if item is not None]
        inner = ", ".join(f"{_go_name(name)}: {_text(item, depth)}" for name, item in known)
        return f"{type(value).__name__}{{{inner}}}"
    return str(value)


_DEEPEST: Final = 16
"""Beyond this nothing is left of 256 bytes anyway."""


def _listed(items: list[str]) -> str:
    return f"[{' '.join(items)}]"


def _go_name(name: str) -> str:
    """The exported name that a field has in Go, but for its abbreviations (``ID``, ``URL``)."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
