"""Who may call what: checks that see a call before its body is read, and can refuse it.

::

    from tchannel.authorization import Access, authorize

    def from_billing(access: Access) -> bool:
        names = (access.certificate or {}).get("subjectAltName", ())
        return ("URI", "spiffe://example.org/billing") in names

    channel = TChannel("ledger", ssl_server=context, authorize=from_billing)   # every call

    @channel.json.register
    @authorize(from_billing)                                                   # this endpoint's
    async def pay(request): ...

A check returns True or False, or raises a `TChannelError` of its own choice, which the caller gets as
it is. The error for "not authorised" is `NotAuthorizedError`: a bad request (code 0x06) for the caller,
since the protocol has no code of its own for it, and one that is never retried. Whatever else a check
does, be it another result or another exception, refuses the call and is logged.

Each check is asked once for a call; of one in several frames, with the first. Where several stand before
a handler, all of them have to let it pass.
"""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Callable, Mapping
from logging import Logger
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from ._ground.log_fields import LogFields, log_fields
from ._ground.logs import logger
from .errors import NotAuthorizedError, TChannelError

if TYPE_CHECKING:
    from .channel import TChannel
    from .tls import Certificate

__all__ = [
    "Access",
    "Check",
    "NotAuthorizedError",
    "authorize",
    "check_of",
    "must_be_check",
    "refusal",
]

log: Logger = logger("tchannel.authorization")

_HandlerT = TypeVar("_HandlerT", bound=Callable[..., object])

_ATTRIBUTE: Final = "__tchannel_authorize__"

# Handlers that are registered already: a check that comes later would guard nothing.
_registered: weakref.WeakSet[object] = weakref.WeakSet()


class Access:
    """What a check sees of a call.

    Attributes:
        channel: The channel that is called.
        peer: The address of the caller's socket, or of that of the router in between.
        announced: The address at which that peer says it listens: a claim; None if it does not.
        certificate: Its verified TLS certificate, as ``ssl.SSLSocket.getpeercert()`` gives it; None
            or empty when it showed none.
        caller_name: How the caller calls itself (``cn``): a claim.
        service: The service that is called.
        endpoint: The endpoint that is called.
        scheme: The arg scheme of the call.
        headers: All transport headers.

    """

    __slots__ = (
        "announced",
        "caller_name",
        "certificate",
        "channel",
        "endpoint",
        "headers",
        "peer",
        "scheme",
        "service",
    )

    def __init__(
        self,
        *,
        channel: TChannel,
        peer: str,
        announced: str | None,
        certificate: Certificate | None,
        caller_name: str,
        service: str,
        endpoint: str,
        scheme: str,
        headers: Mapping[str, str],
    ) -> None:
        self.channel: TChannel = channel
        self.peer: str = peer
        self.announced: str | None = announced
        self.certificate: Certificate | None = certificate
        self.caller_name: str = caller_name
        self.service: str = service
        self.endpoint: str = endpoint
        self.scheme: str = scheme
        self.headers: Mapping[str, str] = headers

    def __repr__(self) -> str:
        return (
            f"<Access of {self.caller_name!r} at {self.peer} to {self.service!r}, "
            f"endpoint {self.endpoint!r}>"
        )


Check: TypeAlias = Callable[[Access], bool]
"""Says whether a call may pass; not a coroutine function: it is asked before anything waits."""


def authorize(check: Check) -> Callable[[_HandlerT], _HandlerT]:
    """Let only those calls reach a handler that ``check`` lets pass; of any arg scheme.

    It stands next to the handler, below what registers it. Where there is one already, both count.

    Raises:
        TypeError: ``check`` is not callable, or a coroutine function; or the handler is registered
            already, and would be called without it.

    """
    must_be_check(check)

    def mark(handler: _HandlerT) -> _HandlerT:
        if _is_registered(handler):
            raise TypeError(
                f"{handler!r} is registered already, and its calls would pass unasked: @authorize stands"
                " below what registers it"
            )
        inner: Check | None = getattr(handler, _ATTRIBUTE, None)
        setattr(handler, _ATTRIBUTE, check if inner is None else _both(check, inner))
        return handler

    return mark


def _both(outer: Check, inner: Check) -> Check:
    def both(access: Access) -> bool:
        allowed = outer(access)
        return inner(access) if allowed is True else allowed

    return both


def _is_registered(handler: object) -> bool:
    try:
        return handler in _registered
    except TypeError:  # nothing that a set takes
        return False


def check_of(handler: object) -> Check | None:
    """Return the check that stands before a handler that is being registered, if any."""
    with contextlib.suppress(TypeError):  # nothing that a set takes
        _registered.add(handler)
    check: Check | None = getattr(handler, _ATTRIBUTE, None)
    return check


def must_be_check(check: object) -> None:
    """Refuse what cannot be a check.

    Raises:
        TypeError: It is not callable, or a coroutine function.

    """
    if not callable(check):
        raise TypeError(f"authorize must be callable, not {check!r}")
    if inspect.iscoroutinefunction(check) or inspect.iscoroutinefunction(
        getattr(check, "__call__", None)  # noqa: B004 - of an object that is called
    ):
        raise TypeError(f"authorize must not be a coroutine function: {check!r}")


def refusal(check: Check, access: Access) -> TChannelError | None:
    """Return the error for a call that ``check`` does not let pass; None for one that it does."""
    try:
        allowed: object = check(access)
    except TChannelError as error:
        return error
    except Exception:
        log.exception("%r failed, and %r is refused", check, access, extra=_extra(access))
        return NotAuthorizedError()
    if allowed is True:
        return None
    if allowed is not False:
        if inspect.iscoroutine(allowed):
            allowed.close()
        log.error(
            "%r gave neither True nor False but %r, and %r is refused",
            check,
            allowed,
            access,
            extra=_extra(access),
        )
    return NotAuthorizedError()


def _extra(access: Access) -> LogFields:
    return log_fields(access.peer, access.service, access.endpoint, announced=access.announced)
