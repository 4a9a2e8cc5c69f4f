"""Log lines as JSON, with the call that they are about.

::

    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level="INFO")

Each record becomes one line: ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``, and what is
known of ``peer``, ``service``, ``endpoint``, ``message_id``, ``announced`` and ``trace_id``. The lines
that a handler logs while it serves a call have these too, whatever logger they go to. Then what
``extra=`` brought, and ``exception`` and ``stack`` as text.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from ._ground.current import current_call
from ._ground.log_fields import LogFields, fields_of

__all__ = ["JsonFormatter"]

_FIELDS: Final = tuple(LogFields.__annotations__)

# What every record has; the rest came by `extra=`.
_USUAL: Final = frozenset(
    {*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName"}
)


class JsonFormatter(logging.Formatter):
    """Makes one line of JSON of each log record.

    Args:
        always: What each line has besides, the name of the host or the version say.

    Raises:
        TypeError: ``always`` is no mapping of str.

    """

    def __init__(self, always: Mapping[str, object] | None = None) -> None:
        super().__init__()
        if always is not None and (
            not isinstance(always, Mapping) or not all(isinstance(name, str) for name in always)
        ):
            raise TypeError(f"always must be a mapping of str, not {always!r}")
        self._always = dict(always or {})

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        values = record.__dict__
        # Of a line that says itself what it is about, nothing else is told.
        about: Mapping[str, object] = (
            values if any(name in values for name in _FIELDS) else _of_current_call()
        )
        for name in _FIELDS:
            value = about.get(name)
            if value is not None:
                line[name] = value
        for name, value in (*self._always.items(), *values.items()):
            if name not in _USUAL and name not in _FIELDS:
                line.setdefault(name, value)
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return json.dumps(line, default=_text, skipkeys=True)


def _of_current_call() -> Mapping[str, object]:
    call = current_call.get()
    return {} if call is None else fields_of(call)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # its own __str__ is broken; a line about it is written all the same
        return f"<{type(value).__name__}>"
