"""What to try when a call failed."""

from __future__ import annotations

import re
from typing import Final

from tchannel import errors

from .._terminal.failures import CallFailed, code_name, one_line
from .calls import Target

__all__ = ["explain"]

# The scheme that a service expects, in the words of tchannel-python (and ours), node and go.
_SCHEME: Final = re.compile(
    r"expected an? '(?P<py>\w+)'(?: or '\w+')* but"
    r"|as header to be (?P<node>\w+)|expected arg scheme (?P<go>\w+)"
)
_OPTIONS: Final = {
    "raw": "--raw",
    "json": "--json",
    "thrift": "a Thrift endpoint (Service::method), without --json and --raw",
}
_NO_ENDPOINT: Final = re.compile(r"no such endpoint|is not defined|no handler for")


def explain(failure: CallFailed, target: Target, peer: str, scheme: str = "thrift") -> str:
    """Return one line: what went wrong with a call, and what to try.

    Args:
        failure: What went wrong.
        target: Whom it was for.
        peer: The peer of the last attempt; "" if there was none.
        scheme: Its arg scheme.

    """
    said = one_line(failure.description)
    advice = _advice(failure, target, peer, scheme)
    if not failure.sent:
        return f"{said}; {advice}"
    label = code_name(failure.error.code)
    return f"{label}: {said}" + (f"; {advice}" if advice else "")


def _advice(failure: CallFailed, target: Target, peer: str, scheme: str) -> str:
    if not failure.sent:
        return _connecting(failure)
    said = failure.description
    code = failure.error.code
    if code == errors.DECLINED and "no peer available" in said:
        name = target.routing_delegate or target.service
        return (
            f"nobody advertises {name!r} with the router {peer}; is the service running, and its"
            " name right?"
        )
    if code == errors.BAD_REQUEST:
        return _bad_request(said, scheme)
    if code == errors.TIMEOUT:
        return f"--timeout gives it more than {target.timeout:g} s"
    if code == errors.BUSY:
        return "try again, or another peer"
    if code == errors.NETWORK_ERROR and failure.error.id is not None:
        return "the router did not reach the service"
    return ""


def _connecting(failure: CallFailed) -> str:
    said = failure.description.lower()
    if "certificate" in said or "hostname mismatch" in said:
        return "--ca, --server-name or --insecure say what to trust"
    if "tls is expected" in said:
        return "it wants --tls"
    if "connect call failed" in said or "refused" in said:
        return "nothing listens there; is the service running, and -p right?"
    if "name or service not known" in said or "getaddrinfo" in said or "name resolution" in said:
        return "no such host; is -p right?"
    if ("ssl" in said or "tls" in said) and "may expect tls" not in said:
        return "is it a port for TLS?"
    if "no such file" in said:
        return "there is no such socket"
    return "is a TChannel service listening there (with TLS, if it wants --tls)?"


def _bad_request(said: str, scheme: str) -> str:
    match = _SCHEME.search(said)
    if match is not None:
        wanted = match["py"] or match["node"] or match["go"]
        return f"try {_OPTIONS.get(wanted, f'the scheme {wanted}')} instead of {scheme}"
    if _NO_ENDPOINT.search(said):
        return "--list shows what a Thrift service has; is the endpoint right?"
    if "unknown service" in said:
        return "that peer serves another service; is the name right?"
    return ""
