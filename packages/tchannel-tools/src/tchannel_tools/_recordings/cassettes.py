"""Recorded calls in cassettes of ``tchannel_testing.vcr``, which tests replay."""

from __future__ import annotations

from collections.abc import Iterator

import tchannel_wire as wire
from tchannel import errors
from tchannel_testing import vcr

from .._calling.calls import Message
from .._terminal.failures import ToolError, one_line
from .recording import Recording, Reply

__all__ = ["CassetteFile", "is_cassette", "read_cassette"]

_CODES = {wire.error_name(code): int(code) for code in wire.ErrorCode}


def is_cassette(path: str) -> bool:
    """Whether a file of that name is a cassette, and no load file."""
    return path.lower().endswith((".yaml", ".yml"))


class CassetteFile:
    """A cassette that is written: all of it is kept until `close`.

    Args:
        path: The file; what it held is forgotten.

    Raises:
        ToolError: It cannot be written.

    """

    def __init__(self, path: str) -> None:
        try:
            self._cassette = vcr.Cassette(path, "all")
        except vcr.VCRError as error:
            raise ToolError(one_line(str(error))) from None
        except OSError as error:
            raise ToolError(f"cannot write {path}: {error.strerror}") from None

    def write(self, one: Recording) -> str | None:
        """Take a call; returns why it has no place in a cassette, or None if it has."""
        reply = one.reply
        if reply is None:
            return "it got no answer"
        outcome: vcr.Response | vcr.Failure
        if reply.answered:
            outcome = vcr.Response(0 if reply.outcome == "ok" else 1, reply.arg2, reply.arg3)
        elif reply.outcome in _CODES:
            error = errors.TChannelError.from_code(_CODES[reply.outcome], description=reply.text)
            outcome = vcr.Failure.of(error)
        else:
            return f"its error has a code without a name ({reply.outcome})"
        message = one.message
        self._cassette.record(
            vcr.Request(
                one.service,
                message.endpoint,
                message.arg2,
                message.arg3,
                scheme=message.scheme,
                transport_headers=dict(one.transport),
            ),
            outcome,
        )
        return None

    def close(self) -> None:
        """Write the file.

        Raises:
            OSError: It cannot be written.

        """
        self._cassette.save()


def read_cassette(path: str) -> Iterator[Recording]:
    """Read a cassette; it knows no times.

    Raises:
        ToolError: It cannot be read, or has nothing in it.

    """
    try:
        cassette = vcr.Cassette(path, "none")
    except vcr.VCRError as error:
        raise ToolError(one_line(str(error))) from None
    except OSError as error:
        raise ToolError(f"cannot read {path}: {error.strerror}") from None
    if not cassette.existed:
        raise ToolError(f"cannot read {path}: there is no such file")
    if not cassette.interactions:
        raise ToolError(f"{path} has no calls in it")
    for one in cassette.interactions:
        request = one.request
        if one.response is not None:
            outcome = "application error" if one.response.code else "ok"
            reply = Reply(outcome, one.response.headers, one.response.body)
        else:
            assert one.failure is not None, "an interaction has one of the two"
            code = errors.UNEXPECTED_ERROR if one.failure.code is None else one.failure.code
            reply = Reply(wire.error_name(code), text=one.failure.description)
        yield Recording(
            request.service,
            Message(request.scheme, request.endpoint, request.headers, request.body),
            reply,
            transport=request.transport_headers,
        )
