"""Answers by YARPC's conventions: headers and errors, from bytes and to bytes; no I/O here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tchannel_wire as wire
from tchannel.errors import ReadError

from .codes import Code, code_named
from .errors import InternalError, YarpcError, error_of
from .headers import (
    ERROR_CODE,
    ERROR_DETAILS,
    ERROR_MESSAGE,
    ERROR_NAME,
    EXCEPTION_NAME,
    SERVICE,
    Headers,
    check_headers,
    decode_headers,
    encode_headers,
    refuse_reserved,
    take_reserved,
)

__all__ = ["AnswerHeaders", "encode_answer_headers", "encode_error", "error_in", "read_headers"]

_LONGEST = 0xFFFF
"""Bytes of a header's value."""


class AnswerHeaders(NamedTuple):
    """The headers of an answer."""

    headers: Headers
    """Those of the application."""

    reserved: Mapping[str, str]
    """YARPC's own."""


def read_headers(encoding: str, arg2: bytes, service: str) -> AnswerHeaders:
    """Return the headers of an answer to a call of ``service``.

    Raises:
        ReadError: They cannot be read.
        InternalError: Another service answered.

    """
    try:
        headers = decode_headers(encoding, arg2)
    except (wire.ProtocolError, ValueError) as error:
        raise ReadError(f"cannot read the headers of the answer: {error}") from error
    reserved = take_reserved(headers)
    answered = reserved.get(SERVICE)
    if answered is not None and answered != service:
        raise InternalError(
            f"service name sent from the request does not match the one received in the response:"
            f" sent {service!r}, got {answered!r}"
        )
    return AnswerHeaders(headers, reserved)


def error_in(
    answer: AnswerHeaders, arg3: bytes, decode_body: Callable[[bytes], object]
) -> YarpcError | None:
    """Return the application error that an answer is; None for one that went well.

    YARPC goes by this header alone: code 1 without it is no error.
    """
    text = answer.reserved.get(ERROR_CODE)
    if text is None:
        return None
    reserved = answer.reserved
    error = error_of(
        code_named(text) or Code.UNKNOWN,
        reserved.get(ERROR_MESSAGE, ""),
        name=reserved.get(ERROR_NAME) or reserved.get(EXCEPTION_NAME),
        details=reserved.get(ERROR_DETAILS),
        headers=answer.headers,
    )
    if arg3:
        try:
            error.body = decode_body(arg3)
        except Exception as failure:
            error.add_note(f"the body beside this error could not be decoded: {failure}")
    return error


def encode_answer_headers(encoding: str, service: str, headers: object) -> bytes:
    """Return arg2 of an answer that went well, or of a declared exception.

    Raises:
        ValueError: The handler's headers are no mapping of str to str, or one is YARPC's own.

    """
    answer = check_headers(headers)
    refuse_reserved(answer)
    answer[SERVICE] = service
    return encode_headers(encoding, answer)


def encode_error(
    encoding: str,
    service: str,
    error: YarpcError,
    encode_body: Callable[[object], bytes],
    describe_details: Callable[[Sequence[object]], tuple[str | None, str]] | None = None,
) -> tuple[int, bytes, bytes]:
    """Return code, arg2 and arg3 of an answer that is an error.

    An error that came from a call which the handler made goes on with its code, name, message and
    details alone: headers and body were meant for the handler.

    Args:
        encoding: The encoding.
        service: The service that answers.
        error: The error.
        encode_body: Makes arg3 of its body.
        describe_details: Makes a type's name and a text of details that are no text.

    Raises:
        TypeError, ValueError: Headers, details or body cannot be sent.

    """
    passed_on = error.service is not None
    headers = Headers() if passed_on else check_headers(error.headers)
    refuse_reserved(headers)
    headers[SERVICE] = service
    headers[ERROR_CODE] = error.code.text
    headers[ERROR_MESSAGE] = _cut(error.message)
    if error.name is not None:
        headers[ERROR_NAME] = _cut(error.name)
    details = error.details
    if details is not None:
        name = None
        if not isinstance(details, str):
            if describe_details is None:
                raise TypeError(f"details of an error must be text, not {details!r}")
            name, details = describe_details(details)
        if name is not None:
            headers[EXCEPTION_NAME] = name
        headers[ERROR_DETAILS] = _cut(details)
    body = None if passed_on else error.body
    return 1, encode_headers(encoding, headers), b"" if body is None else encode_body(body)


def _cut(text: str) -> str:
    """Return a text for people, cut to what fits a header."""
    if len(text) * 4 <= _LONGEST:
        return text
    return text.encode(errors="replace")[:_LONGEST].decode(errors="ignore")
