"""The answer to a call, as handlers give it and as callers get it.

A package, because a package goes before a module of its name: see `refuse_overwritten`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import TYPE_CHECKING, ClassVar, Final, Generic, NoReturn

from tchannel_wire import ARG_SCHEME, FAILURE_DOMAIN

from .._ground.generics import BodyT, HeadersT
from .._ground.namesake import refuse_overwritten
from .._ground.text import escaped, quoted, shown, shown_headers
from ..status import OK

if TYPE_CHECKING:
    from ..streaming import Body

__all__ = ["Response", "TransportHeaders", "bytes_response"]

refuse_overwritten()


class TransportHeaders:
    """Protocol-level headers of a response.

    Args:
        failure_domain: ``fd``: a name for what fails together.
        scheme: ``as``: the arg scheme; default ``"raw"``.

    """

    __slots__ = ("failure_domain", "headers", "scheme")

    _KEYS: ClassVar[Mapping[str, str]] = {
        ARG_SCHEME: "scheme",
        FAILURE_DOMAIN: "failure_domain",
    }

    def __init__(
        self,
        failure_domain: str | None = None,
        scheme: str | None = "raw",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.failure_domain: str | None = failure_domain
        self.scheme: str | None = scheme
        self.headers: dict[str, str] = dict(headers) if headers else {}

    @classmethod
    def from_dict(cls, headers: Mapping[str, str]) -> TransportHeaders:
        """Make them of the headers on the wire; unknown keys stay in ``.headers``."""
        return cls(headers.get(FAILURE_DOMAIN), headers.get(ARG_SCHEME), headers=headers)

    def to_dict(self) -> dict[str, str]:
        """Return them as on the wire."""
        known = {key: getattr(self, name) for key, name in self._KEYS.items()}
        return {**self.headers, **{key: value for key, value in known.items() if value}}

    def __repr__(self) -> str:
        return f"TransportHeaders({shown_headers(self.to_dict())})"


class Response(Generic[BodyT, HeadersT]):
    """The answer to a call.

    A handler may return one to send headers or a status; a caller always gets one. For type checkers
    it is generic: ``Response[bytes, bytes]`` has a body and headers of bytes, ``Response[str]`` a str
    as its body; what is not said is Any.

    Args:
        body: The payload; its type depends on the scheme (bytes for raw).
        headers: Application headers; bytes for raw, else a mapping of str to str.
        transport: Protocol-level headers (``scheme``, ``failure_domain``).
        status: 0 (``tchannel.status.OK``) or 1 (``FAILED``): an application error. What callers
            get is always 0 or 1; a handler's None means 0.

    """

    __slots__ = ("_transport", "body", "headers", "status")

    if not TYPE_CHECKING:
        # That of Generic wants all arguments to be said.
        __class_getitem__ = classmethod(GenericAlias)

        def __getitem__(self, key: object) -> NoReturn:
            raise TypeError(
                "this is a response, and what was answered is its body: write "
                f"response.body[{shown(repr(key))}]"
            )

        def __iter__(self) -> NoReturn:
            raise TypeError(
                "this is a response, and what was answered is its body: write response.body"
            )

    body: BodyT
    headers: HeadersT

    def __init__(
        self,
        # None is what a handler's Response has where it says nothing, whatever its type is.
        body: BodyT = None,  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
        headers: HeadersT = None,  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
        transport: TransportHeaders | Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        self.body = body
        self.headers = headers
        self._transport = transport
        self.status: int = OK if status is None else status

    @property
    def transport(self) -> TransportHeaders:
        """Protocol-level headers, made when first looked at."""
        transport = self._transport
        if not isinstance(transport, TransportHeaders):
            transport = self._transport = TransportHeaders.from_dict(transport or {})
        return transport

    @transport.setter
    def transport(self, value: TransportHeaders | Mapping[str, str] | None) -> None:
        self._transport = value

    def __repr__(self) -> str:
        # It lands in logs: of headers, which have tokens, the names alone.
        headers = self.headers
        if isinstance(headers, Mapping):
            said = f"{{{', '.join(f'{quoted(name)}: ...' for name in list(headers)[:_SHOWN_HEADERS])}}}"
        else:
            said = (
                f"<{len(headers)} bytes>"
                if isinstance(headers, bytes) and headers
                else repr(headers)
            )
        return f"Response(body={_short(self.body)}, headers={said}, status={self.status})"


_new = object.__new__

# Names of headers that a repr has room for.
_SHOWN_HEADERS: Final = 20


def bytes_response(
    code: int, arg2: bytes, arg3: bytes | Body, headers: Mapping[str, str]
) -> Response[bytes | Body, bytes]:
    """Make the response to a call on bytes."""
    # Filled in from here rather than by its __init__: 0.6 % of a small call less.
    response: Response[bytes | Body, bytes] = _new(Response)
    response.body = arg3
    response.headers = arg2
    response._transport = headers  # noqa: SLF001
    response.status = 1 if code else 0
    return response


def _short(value: object) -> str:
    text = repr(value)
    return escaped(text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)")
