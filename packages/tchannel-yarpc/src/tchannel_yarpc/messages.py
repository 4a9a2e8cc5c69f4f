"""Protobuf messages as bytes, as JSON and as text: needs the extra ``protobuf``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .extras import protobuf_hint

try:
    from google.protobuf import json_format
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import DecodeError, Message
    from google.protobuf.message_factory import GetMessageClass
except ImportError as _error:
    raise protobuf_hint(_error) from None

__all__ = ["MessageCodec", "describe_details"]


# Those whose JSON may be an array.
_ARRAYS = frozenset({"google.protobuf.ListValue", "google.protobuf.Value"})


class MessageCodec:
    """Makes bytes of the messages of one type, and back, in one encoding.

    Args:
        descriptor: The type.
        as_json: Whether the bytes are JSON, else protobuf's own.

    """

    __slots__ = ("_as_json", "_class", "_name")

    def __init__(self, descriptor: Descriptor, *, as_json: bool) -> None:
        self._class: type[Message] = GetMessageClass(descriptor)
        self._name = descriptor.full_name
        self._as_json = as_json

    def encode(self, message: object) -> bytes:
        """Return the bytes of a message.

        Raises:
            TypeError: It is no message of this type.
            ValueError: It cannot be encoded: JSON has no form for an unknown type in an Any, say.

        """
        # By its name: two pools may each have a class for the type.
        if not isinstance(message, Message) or message.DESCRIPTOR.full_name != self._name:
            raise TypeError(f"a message of type {self._name} is needed, not {message!r:.200}")
        if not self._as_json:
            return message.SerializeToString()
        try:
            made = json_format.MessageToDict(message)
        except (json_format.Error, TypeError) as error:
            raise ValueError(f"{self._name} cannot become JSON: {error}") from error
        return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> Message:
        """Return the message that bytes say; no bytes are an empty one, but in JSON.

        Raises:
            ValueError: They say none.

        """
        message = self._class()
        try:
            if self._as_json:
                # Parse takes an empty array for any message.
                if data.lstrip()[:1] == b"[" and self._name not in _ARRAYS:
                    raise json_format.ParseError("an array is no message")
                json_format.Parse(data, message, ignore_unknown_fields=True)
            else:
                message.ParseFromString(data)
        except (json_format.ParseError, DecodeError) as error:
            # Cut: it may quote what came, and that has no bounds.
            raise ValueError(f"no {self._name}: {str(error)[:200]}") from error
        except RecursionError:
            raise ValueError(f"no {self._name}: nested too deeply") from None
        return message


def describe_details(details: Sequence[object]) -> tuple[str | None, str]:
    """Return the name of the first message's type, and a text with all of them, as YARPC has it.

    Raises:
        TypeError: One is no message.

    """
    texts: list[str] = []
    names: list[str] = []
    for detail in details:
        if not isinstance(detail, Message):
            raise TypeError(f"details of an error must be text or messages, not {detail!r:.200}")
        names.append(detail.DESCRIPTOR.name)
        texts.append(f"{detail.DESCRIPTOR.name}{{{compact_text(detail)}}}")
    return names[0] if names else None, f"[]{{ {' , '.join(texts)} }}"


def compact_text(message: Message) -> str:
    """Return the text format of a message on one line, as Go's library writes it."""
    parts: list[str] = []
    for field, value in message.ListFields():
        parts += [f"{field.name}:{_text(field, item)} " for item in _items(field, value)]
    return "".join(parts)


def _items(field: FieldDescriptor, value: Any) -> list[Any]:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        return [
            GetMessageClass(entry)(key=key, value=value[key]) for key in sorted(value, key=repr)
        ]
    return list(value) if field.is_repeated else [value]


def _text(field: FieldDescriptor, value: Any) -> str:
    if isinstance(value, Message):
        return f"<{compact_text(value)}>"
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known is not None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return '"' + "".join(_escaped(byte) for byte in value) + '"'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return "\\" + character
    return character if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
