"""The channel that makes the calls."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from tchannel import TChannel

from .._terminal.failures import ToolError
from .calls import Target

__all__ = ["TLS", "make_channel", "tls_context"]


@dataclass(frozen=True, slots=True)
class TLS:
    """How to connect by TLS.

    Attributes:
        ca: File with the certificates to trust instead of the system's.
        cert: File with the own certificate.
        key: File with its key, unless ``cert`` has it too.
        server_name: The name in the peer's certificate instead of its host.
        insecure: Whether to trust any certificate.

    """

    ca: str | None
    cert: str | None
    key: str | None
    server_name: str | None
    insecure: bool


def make_channel(target: Target, tls: TLS | None) -> TChannel:
    """Return a channel that knows the peers.

    Args:
        target: Whom to call.
        tls: How to connect by TLS, or None for plain connections.

    Raises:
        ToolError: A certificate or key cannot be used, or the caller has no name that can be sent.

    """
    if not target.caller:
        raise ToolError("--cn is empty: callers need a name")
    context = None if tls is None else tls_context(tls)
    try:
        return TChannel(
            target.caller,
            known_peers=target.peers,
            ssl_client=context,
            server_name=None if tls is None else tls.server_name,
        )
    except ValueError as error:  # of addresses nothing is wrong: they were looked at
        raise ToolError(f"--cn: {error}") from None


def tls_context(tls: TLS) -> ssl.SSLContext:
    """Return the context for connections by TLS.

    Raises:
        ToolError: A certificate or key cannot be used.

    """
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ValueError) as error:
        raise ToolError(f"--ca {tls.ca}: {_reason(error)}") from None
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert is not None:
        try:
            context.load_cert_chain(tls.cert, tls.key)
        except (OSError, ValueError) as error:
            files = tls.cert if tls.key is None else f"{tls.cert} with --key {tls.key}"
            raise ToolError(f"--cert {files}: {_reason(error)}") from None
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not usable ({error.reason or 'no PEM'})"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
