"""What the values of one payload may come to: how many objects, and how much memory."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..errors import ThriftProtocolError

DEFAULT_MAX_OBJECTS: Final = 1_000_000
DEFAULT_MAX_DECODED_SIZE: Final = 128 << 20

BYTES_PER_OBJECT: Final = 4
"""So many bytes of a payload allow one object more. Whatever holds a value takes five at least: only
empty structs take fewer."""

SIZE_PER_BYTE: Final = 32
"""So many bytes of memory are allowed for each byte of a payload. An i16 takes 20 in a list."""


class Limits(NamedTuple):
    """What payloads may come to, beyond what their own size allows."""

    max_objects: int = DEFAULT_MAX_OBJECTS
    """Structs and containers."""
    max_decoded_size: int = DEFAULT_MAX_DECODED_SIZE
    """Bytes of memory, as `tchannel_thrift.rw.spec.weight` estimates them."""


class Budget:
    """What is left for the rest of one payload.

    Args:
        size: Bytes of the payload.
        limits: The limits.

    """

    __slots__ = ("_limits", "_objects", "_payload", "_size")

    def __init__(self, size: int, limits: Limits) -> None:
        self._payload = size
        self._limits = limits
        self._objects = limits.max_objects + size // BYTES_PER_OBJECT
        self._size = limits.max_decoded_size + size * SIZE_PER_BYTE

    def take(self, objects: int, size: int) -> None:
        """Count objects, and bytes of memory, before they are made.

        Raises:
            ThriftProtocolError: If there are too many.

        """
        self._objects -= objects
        self._size -= size
        if self._objects < 0:
            most = self._limits.max_objects + self._payload // BYTES_PER_OBJECT
            raise ThriftProtocolError(
                f"The payload of {self._payload} bytes has more than {most} structs and containers."
            )
        if self._size < 0:
            most = self._limits.max_decoded_size + self._payload * SIZE_PER_BYTE
            raise ThriftProtocolError(
                f"The values of the payload of {self._payload} bytes would take more than {most} "
                "bytes of memory."
            )
