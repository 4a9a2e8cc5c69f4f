"""What a direction of a :class:`~tchannel_testing.proxy.FaultProxy` can do to bytes."""

import dataclasses
import math
from collections.abc import Callable
from typing import TypedDict

from tchannel_wire import FrameType

#: Takes one whole frame, header included, and says whether it is meant.
FrameFilter = Callable[[bytes], bool]
#: Takes one whole frame, header included, and returns what is sent in its place.
FrameRewriter = Callable[[bytes], bytes]

_TYPE_AT = 2  # the frame's type follows its two bytes of size (protocol, "Frame")


class FaultSettings(TypedDict, total=False):
    """The names and types of the settings of :class:`Faults`, for ``set(**settings)``."""

    latency: float
    jitter: float
    bandwidth: float | None
    split: int | None
    join: int | None
    withhold: FrameFilter | None
    rewrite: FrameRewriter | None
    corrupt_rate: float
    cut_after_bytes: int | None
    cut_after_frames: int | None
    cut_with_reset: bool
    black_hole: bool
    stall: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of one direction; the defaults do nothing.

    :raises ValueError: a value is out of its range; the message names the setting and the value.

    ``split``, ``withhold``, ``rewrite``, ``join`` and ``cut_after_frames`` may be combined with all
    others. Those that look at frames wait for whole frames before passing them on; a stream that
    is not TChannel passes them untouched.
    """

    #: Seconds by which bytes are delayed.
    latency: float = 0.0
    #: Up to this many seconds are added to the latency, at random; order is kept.
    jitter: float = 0.0
    #: Bytes per second; None for no limit.
    bandwidth: float | None = None
    #: Write at most this many bytes at once, in turns of the event loop of their own.
    split: int | None = None
    #: Hold frames back until there are this many, then write them at once.
    join: int | None = None
    #: Frames that are held back until the setting changes; the others overtake them.
    withhold: FrameFilter | None = None
    #: Replaces each frame.
    rewrite: FrameRewriter | None = None
    #: The chance, 0 to 1, that a byte's bits are inverted.
    corrupt_rate: float = 0.0
    #: End the connection after this many more bytes of this direction.
    cut_after_bytes: int | None = None
    #: End the connection after this many more whole frames of this direction.
    cut_after_frames: int | None = None
    #: End it with a TCP reset instead of an orderly close.
    cut_with_reset: bool = False
    #: Read bytes and throw them away. A stream that lost bytes cannot go on: connections that lost
    #: some are reset when the black hole ends.
    black_hole: bool = False
    #: Do not read at all: the sender's buffers fill up, nothing is lost.
    stall: bool = False

    def __post_init__(self) -> None:
        for name in ("latency", "jitter"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be 0 seconds or more, got {value!r}")
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise ValueError(
                f"bandwidth must be more than 0 bytes per second, got {self.bandwidth!r}"
            )
        if not 0 <= self.corrupt_rate <= 1:
            raise ValueError(f"corrupt_rate must be 0 to 1, got {self.corrupt_rate!r}")
        for name, least in (
            ("split", 1),
            ("join", 1),
            ("cut_after_bytes", 0),
            ("cut_after_frames", 0),
        ):
            count = getattr(self, name)
            if count is not None and (type(count) is not int or count < least):
                raise ValueError(f"{name} must be a whole number from {least} up, got {count!r}")

    @property
    def pace(self) -> tuple[float, float, float | None]:
        """What says when bytes leave."""
        return self.latency, self.jitter, self.bandwidth

    @property
    def frame_aware(self) -> bool:
        """Whether frames have to be whole before they can be passed on."""
        return (
            self.join is not None
            or self.withhold is not None
            or self.rewrite is not None
            or self.cut_after_frames is not None
        )


def is_frame_type(*types: int) -> FrameFilter:
    """A filter for ``withhold=``: frames of one of ``types`` (protocol, "Frame")."""
    wanted = frozenset(types)
    return lambda frame: frame[_TYPE_AT] in wanted


#: A filter for ``withhold=``: every fragment of a message after its first.
is_continuation: FrameFilter = is_frame_type(
    FrameType.CALL_REQUEST_CONTINUE, FrameType.CALL_RESPONSE_CONTINUE
)


def flip_byte(offset: int, *, types: tuple[int, ...] | None = None) -> FrameRewriter:
    """A rewriter for ``rewrite=``: inverts the byte at ``offset`` of each frame.

    :param offset: counted from the start of the frame, whose header is 16 bytes; negative from its
        end, so that -1 damages the last byte of a body and with it the checksum.
    :param types: only frames of these types; default all. Shorter frames pass untouched.
    """

    def flip(frame: bytes) -> bytes:
        at = offset if offset >= 0 else len(frame) + offset
        if (types is not None and frame[_TYPE_AT] not in types) or not 0 <= at < len(frame):
            return frame
        return frame[:at] + bytes([frame[at] ^ 0xFF]) + frame[at + 1 :]

    return flip


def repeat_frame(*, types: tuple[int, ...]) -> FrameRewriter:
    """A rewriter for ``rewrite=``: sends each frame of one of ``types`` twice."""
    return add_frame(lambda frame: frame, types=types)


def add_frame(
    extra: bytes | FrameRewriter, *, types: tuple[int, ...], before: bool = False
) -> FrameRewriter:
    """A rewriter for ``rewrite=``: sends more than the peer did, as a hostile one would.

    :param extra: what is added: whole frames, or a function that makes them of the frame they go
        with. An empty result adds nothing.
    :param types: the types of the frames that it goes with.
    :param before: whether it goes before them; default behind them.
    """

    def add(frame: bytes) -> bytes:
        if frame[_TYPE_AT] not in types:
            return frame
        added = extra if isinstance(extra, bytes) else extra(frame)
        return added + frame if before else frame + added

    return add


def replace_frame(new: bytes | FrameRewriter, *, types: tuple[int, ...]) -> FrameRewriter:
    """A rewriter for ``rewrite=``: sends ``new`` in the place of each frame of one of ``types``.

    :param new: the bytes, which need not be a frame, or a function that makes them of the frame.
        Empty loses the frame and nothing else.
    """

    def replace(frame: bytes) -> bytes:
        if frame[_TYPE_AT] not in types:
            return frame
        return new if isinstance(new, bytes) else new(frame)

    return replace
