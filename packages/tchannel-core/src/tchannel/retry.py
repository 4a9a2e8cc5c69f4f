"""When a failed call is sent again: values of ``retry_on``, sent as transport header ``re``.

| failure of an attempt | sent again under |
|---|---|
| busy, declined, a peer source that has no peer yet | everything but `NEVER` |
| cannot connect; connection lost before the request was written; error 7 | ``c``, ``ct`` |
| timeout; connection lost after the request was written | ``t``, ``ct`` |
| cancelled, unexpected, bad request, unhealthy, fatal (errors 2, 5, 6, 8, 0xFF) | never |
| no peer, and no source or advertisement that could bring one | never |
"""

from typing import Final

__all__ = [
    "CONNECTION_ERROR",
    "CONNECTION_ERROR_AND_TIMEOUT",
    "DEFAULT",
    "DEFAULT_RETRY_LIMIT",
    "NEVER",
    "TIMEOUT",
]

CONNECTION_ERROR: Final = "c"
"""Retry the request on failures to connect to a remote host. This is the default."""

NEVER: Final = "n"
"""Never retry the request: for calls that must not run twice, to services that say busy or declined
after they have worked, as those of YARPC do."""

TIMEOUT: Final = "t"
"""Retry the request on timeouts waiting for a response. Only for idempotent requests."""

CONNECTION_ERROR_AND_TIMEOUT: Final = "ct"
"""Retry the request on failures to connect and on timeouts after connecting."""

DEFAULT: Final = CONNECTION_ERROR
"""What a call without ``retry_on`` does."""

DEFAULT_RETRY_LIMIT: Final = 4
"""How often a request is sent again at most, in addition to the original request."""
