"""What a connection that fails means, and what to do about it."""

from __future__ import annotations

import os
import ssl

from tchannel.lowlevel import reason_of_failure

from .._calling.connecting import TLS
from .._terminal.failures import one_line

__all__ = ["mend_connecting", "mend_tls", "reason"]


def reason(error: BaseException, *, tls: bool = False) -> str:
    """Say why a connection was not made."""
    if isinstance(error, TimeoutError) and not error.args:
        return "no answer in time"
    if tls:
        return one_line(reason_of_failure(error, tls=True))
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        # asyncio's own text, of several addresses, names no reason.
        return os.strerror(error.errno)
    return one_line(str(error)) or type(error).__name__


def mend_connecting(error: OSError) -> str:
    """Say what to do where a peer cannot be connected to."""
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error):
        return (
            "nothing listens there: is the service running, on this port, and on this address "
            "rather than on 127.0.0.1 alone?"
        )
    if isinstance(error, FileNotFoundError):
        return "there is no such socket: is the service running?"
    if isinstance(error, PermissionError):
        return "whoever runs this may not connect there"
    return "no way leads there from this machine"


def mend_tls(error: BaseException, tls: TLS | None) -> str:
    """Say what to do where the handshake of TLS fails."""
    text = reason(error, tls=True)
    if "expired" in text:
        return "renew the certificate of the peer"
    if "another name" in text:
        return "--server-name gives the name that it bears"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "--ca gives the certificate to trust"
            if tls is None or tls.ca is None
            else ("is --ca the authority that signed it?")
        )
    if "certificate" in text:
        return "--cert and --key give the certificate that it wants of callers"
    return "is it the port for TLS?"
