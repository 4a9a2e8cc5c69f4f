"""The limits that a connection keeps, in one place."""

from __future__ import annotations

__all__ = ["Options"]

_KIB = 1024
_MIB = 1024 * 1024


class Options:
    """Limits of a connection; one object may serve many connections.

    All of it is on by default. What a peer sends beyond a limit costs it the message, never more.

    Args:
        max_message_size: Bytes of arg1, arg2 and arg3 together that one incoming message may
            gather; default 64 MiB. The arg3 of a streamed message is not gathered and not counted.
        max_frames_per_message: Frames that one incoming message may be gathered from; default
            65,536. Frames of a streamed arg3 do not count.
        reassembly_memory: Bytes that all unfinished incoming messages of one connection may hold
            together, Python's own overhead per message and per chunk included; default 128 MiB.
            The message that would exceed it is refused as busy.
        max_headers: Transport headers of one incoming message; default 128, the protocol's limit.
        max_header_key_length: Bytes of one incoming header key; default 255, what a length of one
            byte can say (peers write up to 16).
        max_header_value_length: Bytes of one incoming header value; default 255.
        max_arg1: Bytes of an incoming arg1; default 16 KiB, the protocol's limit.
        handshake_timeout: Seconds that the peer has for its part of the handshake; default 5.0.
        tombstone_margin: Seconds added to a call's ttl for which the id of a call that timed out
            or was cancelled is not used again; default 0.5.
        tombstone_limit: The longest time in seconds that such an id is remembered; default 5.0.

    Raises:
        ValueError: A limit is not positive, or larger than the protocol can express.

    """

    __slots__ = (
        "handshake_timeout",
        "max_arg1",
        "max_frames_per_message",
        "max_header_key_length",
        "max_header_value_length",
        "max_headers",
        "max_message_size",
        "reassembly_memory",
        "tombstone_limit",
        "tombstone_margin",
    )

    def __init__(
        self,
        *,
        max_message_size: int = 64 * _MIB,
        max_frames_per_message: int = 65_536,
        reassembly_memory: int = 128 * _MIB,
        max_headers: int = 128,
        max_header_key_length: int = 255,
        max_header_value_length: int = 255,
        max_arg1: int = 16 * _KIB,
        handshake_timeout: float = 5.0,
        tombstone_margin: float = 0.5,
        tombstone_limit: float = 5.0,
    ) -> None:
        self.max_message_size: int = _limit("max_message_size", max_message_size)
        self.max_frames_per_message: int = _limit("max_frames_per_message", max_frames_per_message)
        self.reassembly_memory: int = _limit("reassembly_memory", reassembly_memory)
        self.max_headers: int = _limit("max_headers", max_headers, 128)
        self.max_header_key_length: int = _limit(
            "max_header_key_length", max_header_key_length, 255
        )
        self.max_header_value_length: int = _limit(
            "max_header_value_length", max_header_value_length, 255
        )
        self.max_arg1: int = _limit("max_arg1", max_arg1, 0xFFFF)
        self.handshake_timeout: float = _seconds("handshake_timeout", handshake_timeout)
        self.tombstone_margin: float = _seconds("tombstone_margin", tombstone_margin)
        self.tombstone_limit: float = _seconds("tombstone_limit", tombstone_limit)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Options({fields})"


def _limit(name: str, value: int, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < 1 or (most is not None and value > most):
        bounds = "at least 1" if most is None else f"1 to {most}"
        raise ValueError(f"{name} must be {bounds}, not {value}")
    return value


def _seconds(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a finite number of seconds, not {value!r}")
    return float(value)
