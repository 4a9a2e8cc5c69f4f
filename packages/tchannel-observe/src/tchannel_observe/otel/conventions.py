"""What spans and metrics say, by OpenTelemetry's semantic conventions for RPC.

The names are those of version 1.45.0 (docs/rpc), where they are stable. What the variable
``OTEL_SEMCONV_STABILITY_OPT_IN`` chooses are the names of version 1.37 and older: nobody had them of us.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import tchannel_wire as wire
from tchannel.errors import TChannelError
from tchannel.lowlevel import UNIX_CALLER, UNIX_PREFIX, parse_hostport
from tchannel.stats import APP_ERROR, OUTCOME_OF_CODE, SUCCESS

from ..text import safe

__all__ = [
    "APPLICATION_ERROR",
    "BUCKETS",
    "CANCELLED",
    "CLIENT_DURATION",
    "OK",
    "SCHEMA_URL",
    "SERVER_DURATION",
    "SYSTEM",
    "Address",
    "address_of",
    "error_type",
    "status_of",
]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.45.0"

SYSTEM: Final = "tchannel"
"""``rpc.system.name``."""

CLIENT_DURATION: Final = "rpc.client.call.duration"
SERVER_DURATION: Final = "rpc.server.call.duration"
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Upper bounds of the histograms, in seconds."""

# The words of ``rpc.response.status_code`` are those of outcomes in `tchannel.stats`.
OK: Final = SUCCESS
APPLICATION_ERROR: Final = APP_ERROR
CANCELLED: Final = OUTCOME_OF_CODE[wire.ErrorCode.CANCELLED]

_UNEXPECTED: Final = OUTCOME_OF_CODE[wire.ErrorCode.UNEXPECTED]


def status_of(error: BaseException, *, served: bool = False) -> str | None:
    """Return the status code of a call that ended with ``error``: the word for the protocol's code.

    None where there is no code because no peer was asked.

    Args:
        error: What the call ended with.
        served: It is what a handler raised: what has no code is sent as an unexpected error.

    """
    code = error.code if isinstance(error, TChannelError) else None
    if code is None:
        return _UNEXPECTED if served else None
    return OUTCOME_OF_CODE.get(code, str(code))


def error_type(error: BaseException) -> str:
    """Return ``error.type`` where there is no status code: the name of the error's class."""
    kind = type(error)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


class Address(NamedTuple):
    """An address as attributes say it."""

    host: str
    """An IP address, a name, or the path of a Unix socket."""
    port: int | None
    transport: str
    """``tcp`` or ``unix``."""


def address_of(hostport: str) -> Address:
    """Return the parts of an address of this library; what is none becomes the host."""
    if hostport.startswith(UNIX_PREFIX):
        return Address(safe(hostport.removeprefix(UNIX_PREFIX)), None, "unix")
    try:
        host, port = parse_hostport(hostport)
    except ValueError:
        return Address(safe(hostport), None, "unix" if hostport.startswith(UNIX_CALLER) else "tcp")
    if hostport.startswith(UNIX_CALLER):
        return Address(host, None, "unix")
    return Address(host, port or None, "tcp")
