"""What a cassette holds: requests, and what came back."""

import copy
import dataclasses
from typing import Literal

from tchannel import errors

from .headers import SCHEMES_WITH_HEADERS, strip_tracing

__all__ = ["Failure", "Interaction", "Request", "Response"]


@dataclasses.dataclass(slots=True)
class Request:
    """A call as it left the application."""

    #: The name of the service called.
    service: str
    #: arg1.
    endpoint: str
    #: arg2, the application headers as they are encoded, without tracing.
    headers: bytes = b""
    #: arg3, the body as it is encoded.
    body: bytes = b""
    #: The peer named by the call, or ''.
    hostport: str = ""
    #: The arg scheme: "raw", "json", "thrift" or another.
    scheme: str = "raw"
    #: The peers that the channel knew.
    known_peers: list[str] = dataclasses.field(default_factory=list)
    #: The transport headers.
    transport_headers: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scheme in SCHEMES_WITH_HEADERS:
            self.headers = strip_tracing(self.scheme, self.headers)


@dataclasses.dataclass(slots=True)
class Response:
    """An answer: result, or error declared by the application."""

    #: 0, or 1 for an application error.
    code: Literal[0, 1] = 0
    #: arg2, the application headers as they are encoded.
    headers: bytes = b""
    #: arg3, the body as it is encoded.
    body: bytes = b""
    #: The transport headers.
    transport_headers: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Failure:
    """A call that ended with an error of ``tchannel.errors``: a system error or a timeout."""

    #: The code of the error; None for errors that never are in an error frame.
    code: int | None
    #: The name of its class.
    type: str
    #: Its description.
    description: str = ""

    @classmethod
    def of(cls, error: errors.TChannelError) -> "Failure":
        """What to record of ``error``."""
        return cls(error.code, _public_name(type(error)), error.description or "")

    def error(self, request: Request) -> errors.TChannelError:
        """The error to raise when it is replayed for ``request``."""
        known = getattr(errors, self.type, None)
        if isinstance(known, type) and issubclass(known, errors.TChannelError):
            return known(self.description, service=request.service, endpoint=request.endpoint)
        code = errors.UNEXPECTED_ERROR if self.code is None else self.code
        return errors.TChannelError.from_code(
            code, description=self.description, service=request.service, endpoint=request.endpoint
        )


def _public_name(error: type[BaseException]) -> str:
    """The nearest class that ``tchannel.errors`` has: an application may have derived from it."""
    for base in error.__mro__:
        if getattr(errors, base.__name__, None) is base:
            return str(base.__name__)
    return error.__name__


@dataclasses.dataclass(slots=True)
class Interaction:
    """A request with its answer: either ``response`` or ``failure`` is set.

    While a live request is matched, and in ``before_record`` for it, neither is.
    """

    request: Request
    response: Response | None = None
    failure: Failure | None = None
    #: How often it was replayed from this cassette.
    play_count: int = 0
    #: Whether its Thrift bodies stand in the file as bytes, as tchannel-python writes them.
    as_bytes: bool = dataclasses.field(default=False, compare=False)

    def copy(self) -> "Interaction":
        """A copy that may be changed freely."""
        return copy.deepcopy(self)
