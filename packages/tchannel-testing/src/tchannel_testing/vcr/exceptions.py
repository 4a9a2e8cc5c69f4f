"""The errors of VCR.

::

    VCRError                            anything below
    ├─ UnknownMatcherError              no matcher has that name (a KeyError)
    ├─ InvalidCassetteError             the file cannot be understood; names file, line and field
    │  └─ UnsupportedVersionError       it was written by a newer library
    └─ RequestNotFoundError             nothing was recorded for the request
       └─ CannotRecordInteractionsError     and the record mode forbids to record it
"""

__all__ = [
    "CannotRecordInteractionsError",
    "InvalidCassetteError",
    "RequestNotFoundError",
    "UnknownMatcherError",
    "UnsupportedVersionError",
    "VCRError",
]


class VCRError(Exception):
    """Base class of the errors of VCR, and a use of it that makes no sense."""


class UnknownMatcherError(VCRError, KeyError):
    """A matcher is asked for by a name that none has; also the KeyError that it used to be."""

    # That of KeyError quotes its text.
    def __str__(self) -> str:
        return Exception.__str__(self)


class InvalidCassetteError(VCRError):
    """A cassette that is no YAML, truncated, or edited into something else.

    ``path``, ``line`` (from 1; None when it is unknown) and ``problem`` are what the message says.
    """

    def __init__(self, path: str, line: int | None, problem: str) -> None:
        place = f"{path}, line {line}" if line is not None else path
        super().__init__(f"{place}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem

    def __reduce__(self) -> tuple[type["InvalidCassetteError"], tuple[str, int | None, str]]:
        return type(self), (self.path, self.line, self.problem)


class UnsupportedVersionError(InvalidCassetteError):
    """A cassette in a version of the format that this library does not know."""


class RequestNotFoundError(VCRError):
    """No recording answers a request; the message shows the nearest one and what differs."""


class CannotRecordInteractionsError(RequestNotFoundError):
    """A call without a recording, under a record mode that does not let it through."""
