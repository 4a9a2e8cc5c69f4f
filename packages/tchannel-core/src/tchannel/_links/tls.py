"""TLS contexts as connections need them: read again when their files change, and telling why they fail.

The event loops close a connection whose handshake fails without sending the alert that OpenSSL has
made of it, so that the other side would hear nothing but the end of the stream. What is put around the
context here sends it.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from contextvars import ContextVar
from socket import socket
from typing import TYPE_CHECKING, Final, Self, TypeAlias, TypedDict, cast

from .._ground.logs import logger

if TYPE_CHECKING:
    from ..tls import TLSFiles

__all__ = ["AcceptingArguments", "ConnectingArguments", "ContextSource", "telling_why"]

_Context: TypeAlias = ssl.SSLContext


class AcceptingArguments(TypedDict, total=False):
    """What asyncio takes for an accepted connection with TLS; nothing for one without."""

    ssl: _Context
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float


class ConnectingArguments(AcceptingArguments, total=False):
    """The same for a connection that is opened."""

    server_hostname: str


log = logger("tchannel.tls")

LOOK_AGAIN: Final = 1.0
"""Seconds for which the times of the files are not looked at again."""


class ContextSource:
    """Gives the context for the next connection.

    Args:
        given: a context, or the files to make one of.
        server: whether connections are accepted with it.

    Raises:
        OSError: a file cannot be read or used.

    """

    def __init__(self, given: ssl.SSLContext | TLSFiles, *, server: bool) -> None:
        self._given = given
        self._server = server
        self._looked_at = 0.0
        self._without_host: ssl.SSLContext | None = None
        self.reload()

    @property
    def reloads(self) -> bool:
        """Whether there are files to read again."""
        return not isinstance(self._given, ssl.SSLContext)

    @property
    def asks_for_certificates(self) -> bool:
        """Whether the other side has to show a certificate."""
        return self._context.verify_mode != ssl.CERT_NONE

    def reload(self) -> None:
        """Read the files again.

        Raises:
            OSError: one cannot be read or used; the former ones stay in use.

        """
        given = self._given
        without_host = None
        if isinstance(given, ssl.SSLContext):
            context = given
            if not given.check_hostname and given.verify_mode == ssl.CERT_REQUIRED:
                without_host = given
        else:
            self._state = given.state()
            if self._server:
                context = given.server_context()
            else:
                context = given.client_context()
                without_host = given.client_context(check_hostname=False)
        self._context = context
        self._telling = _Telling(context)
        self._without_host = None if without_host is None else _Telling(without_host)

    def context(self, now: float) -> ssl.SSLContext:
        """Return the context for a connection that is made at the time ``now``."""
        self._look(now)
        return self._telling

    def context_for_uris(self, now: float) -> ssl.SSLContext:
        """Return one that verifies certificates and leaves it to us whose they are.

        Raises:
            ssl.SSLError: the context that was given does not do that.

        """
        self._look(now)
        if self._without_host is None:
            raise ssl.SSLError(
                "ssl_client= looks for host names, and a URI is to be found: give it TLSFiles, or a "
                "context with check_hostname False and verify_mode CERT_REQUIRED"
            )
        return self._without_host

    def _look(self, now: float) -> None:
        given = self._given
        if isinstance(given, ssl.SSLContext) or now < self._looked_at + LOOK_AGAIN:
            return
        self._looked_at = now
        if given.state() == self._state:
            return
        try:
            self.reload()
        except (OSError, ValueError) as error:
            log.warning("%r cannot be used, the former stay: %s", given, error)
        else:
            log.info("%r were read again", given)


_tells: ContextVar[socket | None] = ContextVar("tchannel_tls_socket", default=None)


@contextlib.contextmanager
def telling_why(connected: socket) -> Iterator[socket]:
    """Let a handshake on ``connected`` that fails meanwhile tell the other side why.

    Gives a duplicate of the socket, which is closed at the end: the transport closes its own at once.
    """
    duplicate = connected.dup()
    duplicate.setblocking(False)
    token = _tells.set(duplicate)
    try:
        yield duplicate
    finally:
        _tells.reset(token)
        duplicate.close()


class _Telling(ssl.SSLContext):
    """Makes the same as the context that it stands for, which sends its alerts."""

    _real: ssl.SSLContext

    def __new__(cls, real: ssl.SSLContext) -> Self:
        made = super().__new__(cls, real.protocol)
        made._real = real
        return made

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        made = self._real.wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        sends = _tells.get()
        if sends is None:
            return made
        return cast("ssl.SSLObject", _Handshake(made, outgoing, sends))


class _Handshake:
    """An SSLObject that sends its alert when the handshake fails."""

    def __init__(self, made: ssl.SSLObject, outgoing: ssl.MemoryBIO, sends: socket) -> None:
        self._made = made
        self._outgoing = outgoing
        self._sends = sends
        # What is called for all bytes that come and go.
        self.read, self.write = made.read, made.write

    def __getattr__(self, name: str) -> object:
        return getattr(self._made, name)

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        try:
            self._made.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            with contextlib.suppress(OSError):  # the other side may be gone by now
                self._sends.send(self._outgoing.read())
            raise
