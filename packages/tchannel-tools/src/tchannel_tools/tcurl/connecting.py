"""The channel that makes the calls."""

from __future__ import annotations

import ssl

from tchannel import TChannel

from .arguments import TLS, Arguments
from .failures import ToolError

__all__ = ["make_channel"]


def make_channel(arguments: Arguments) -> TChannel:
    """Return a channel that knows the peers.

    Raises:
        ToolError: A certificate or key cannot be used.

    """
    if not arguments.caller:
        raise ToolError("--cn is empty: callers need a name")
    tls = arguments.tls
    return TChannel(
        arguments.caller,
        known_peers=arguments.peers,
        ssl_client=None if tls is None else _context(tls),
        server_name=None if tls is None else tls.server_name,
    )


def _context(tls: TLS) -> ssl.SSLContext:
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
