"""The fixed parts of small call frames, packed and unpacked at one go.

Everything before arg2 has the same layout from call to call: a service with its transport headers,
or an endpoint, repeats. So the `Struct` for a whole head is made once and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

from .frames import MAX_FRAME_SIZE

__all__ = [
    "NO_SIZE",
    "REQUEST_PREFIX",
    "RESPONSE_PREFIX",
    "FrameHead",
    "HeadLayouts",
    "Packers",
]

REQUEST_PREFIX = 46
"""Where the service of a call request begins, behind its flags, ttl and tracing."""
RESPONSE_PREFIX = 43
"""Where the transport headers of a call response begin, behind its flags, code and tracing."""

_LONGEST_KEPT = 256
"""Longer arg2s are rare enough to have their pack made each time; it also bounds the memory."""

NO_SIZE = MAX_FRAME_SIZE + 1
"""The size of a head that fits no frame: what is compared with before the first call."""


class Packers(dict[int, Callable[..., bytes]]):
    """By the length of arg2, what packs a frame of one kind up to its arg3.

    One `Struct.pack` and one concatenation make a small frame, where a pack for the head, another
    for the length of arg3 and a join of four parts cost 0.1 µs more.

    Args:
        head: The format of everything before the length of arg2; made for one endpoint or one
            header block, so that only arg2 varies in length.

    """

    __slots__ = ("_head", "size")

    def __init__(self, head: str) -> None:
        super().__init__()
        self._head = head
        self.size: int = Struct(head).size + 4
        """What a frame has besides arg2 and arg3: the head and their two lengths."""

    def __missing__(self, length: int) -> Callable[..., bytes]:
        pack = Struct(f"{self._head}H{length}sH").pack
        if length <= _LONGEST_KEPT:
            self[length] = pack
        return pack


class FrameHead:
    """How to read a frame whose repeating part has a certain length.

    Attributes:
        size: The bytes that `unpack` reads.
        unpack: ``unpack(data, start)`` gives the fields of the frame that begins there.

    """

    __slots__ = ("size", "unpack")

    # Any: the fields are of several types, which the caller knows.
    unpack: Callable[[bytes, int], tuple[Any, ...]]

    def __init__(self, format: str) -> None:
        struct = Struct(format)
        self.size: int = struct.size
        self.unpack = struct.unpack_from


class HeadLayouts(dict[int, FrameHead]):
    """By the length of the repeating part, how to read a frame up to the length behind it.

    Args:
        before: The format of what stands before the repeating part.
        after: The format of what stands behind it.

    """

    __slots__ = ("_after", "_before")

    def __init__(self, before: str, after: str) -> None:
        super().__init__()
        self._before = before
        self._after = after

    def __missing__(self, length: int) -> FrameHead:
        head = FrameHead(f"{self._before}{length}s{self._after}")
        if length <= _LONGEST_KEPT:
            self[length] = head
        return head
