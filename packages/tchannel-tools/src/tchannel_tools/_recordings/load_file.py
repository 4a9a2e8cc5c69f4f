r"""Load files: a recorded call on each line, as JSON that people can read and write.

::

    {"at": 0.25, "service": "keyvalue", "endpoint": "get", "scheme": "json", "headers": "{}",
     "body": "{\"key\": \"hello\"}", "transport": {"cn": "web"}, "latency": 0.0008,
     "outcome": "ok", "answer": {"headers": "{}", "body": "\"world\""}}

Headers and bodies are the text that was sent, or ``{"base64": ...}`` where it is no UTF-8. All but
service and endpoint may be left out.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
from collections.abc import Iterator
from typing import Any

from .._calling.calls import Message
from .._terminal.failures import ToolError, one_line
from .recording import Recording, Reply

__all__ = ["LoadFile", "read_load_file"]


class LoadFile:
    """A load file that is written, each call at once.

    Args:
        path: The file; what it held is forgotten with the first call, and stays without any.

    Raises:
        ToolError: It cannot be written.

    """

    def __init__(self, path: str) -> None:
        self._new = not os.path.exists(path)
        self._path = path
        self._written = False
        try:
            self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - `close` closes it
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ToolError(f"cannot write {path}: {reason}") from None

    def write(self, one: Recording) -> None:
        """Write a call.

        Raises:
            OSError: It cannot be written.

        """
        line: dict[str, object] = {
            "at": None if one.at is None else round(one.at, 6),
            "service": one.service,
            "endpoint": one.message.endpoint,
            "scheme": one.message.scheme,
            "headers": _from_bytes(one.message.arg2),
            "body": _from_bytes(one.message.arg3),
            "transport": dict(one.transport),
            "latency": None if one.latency is None else round(one.latency, 6),
        }
        reply = one.reply
        if reply is not None:
            line["outcome"] = reply.outcome
            if reply.answered:
                answer = {"headers": _from_bytes(reply.arg2), "body": _from_bytes(reply.arg3)}
                line["answer"] = answer
            else:
                line["text"] = reply.text
        if not self._written:
            self._written = True
            self._file.truncate(0)
        self._file.write(json.dumps(line) + "\n")
        # So that it can be watched, and is there whatever ends the process.
        self._file.flush()

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: It cannot be written.

        """
        self._file.close()
        if self._new and not self._written:
            os.unlink(self._path)


def read_load_file(path: str) -> Iterator[Recording]:
    """Read a load file.

    Raises:
        ToolError: It cannot be read, a line is wrong (says which), or there is none.

    """
    number = 0
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _read(line, f"line {number} of {path}")
    except OSError as error:
        raise ToolError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ToolError(f"{path} is no load file: not UTF-8 at byte {error.start}") from None
    if not number:
        raise ToolError(f"{path} has no calls in it")


def _read(line: str, where: str) -> Recording:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{where} is no JSON: {error}") from None
    try:
        return _recording(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else one_line(str(error))
        raise ToolError(f"{where} is no recorded call: {what}") from None


# What JSON holds may be anything until it was looked at.
def _recording(found: Any) -> Recording:
    reply = None
    outcome = _text(found.get("outcome") or "", "outcome")
    if outcome:
        answer = found.get("answer") or {}
        reply = Reply(
            outcome,
            _to_bytes(answer.get("headers"), "headers"),
            _to_bytes(answer.get("body"), "body"),
            _text(found.get("text") or "", "text"),
        )
    scheme = _text(found.get("scheme") or "raw", "scheme")
    transport = {
        _text(key, "transport"): _text(value, "transport")
        for key, value in (found.get("transport") or {}).items()
    }
    return Recording(
        _text(found["service"], "service"),
        Message(
            scheme,
            _text(found["endpoint"], "endpoint"),
            _to_bytes(found.get("headers"), "headers"),
            _to_bytes(found.get("body"), "body"),
        ),
        reply,
        _seconds(found.get("at"), "at"),
        _seconds(found.get("latency"), "latency"),
        transport,
    )


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is text, not {value!r:.60}")
    return value


def _seconds(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise TypeError(f"{name} is a time in seconds, not {value!r:.60}")
    return float(value)


def _from_bytes(data: bytes) -> object:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _to_bytes(value: Any, name: str) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode()
    try:
        return base64.b64decode(value["base64"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise TypeError(f'{name} is text or {{"base64": ...}}, not {value!r:.60}') from None
