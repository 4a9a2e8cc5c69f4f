"""The two outcomes that a `tchannel.Response` can have (protocol, "call": ``code``)."""

from typing import Final

__all__ = ["FAILED", "OK"]

OK: Final = 0
"""The handler succeeded; the response's body is its result."""

FAILED: Final = 1
"""The handler answered with an error of the application, described by the response's body."""
