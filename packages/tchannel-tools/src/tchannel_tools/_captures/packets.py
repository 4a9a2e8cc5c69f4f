"""TCP segments out of capture files: pcap and pcapng, IPv4 and IPv6.

Reading the formats is dpkt's work; what is damaged is told with the place in the file.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import dpkt  # type: ignore[import-untyped]  # it has no types

from .._terminal.failures import ToolError

__all__ = ["Segment", "is_capture", "segments"]

# The first bytes of pcap (both byte orders; micro- and nanoseconds; modified) and of pcapng.
_MAGICS = (
    *(b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"),
    *(b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34", b"\x0a\x0d\x0d\x0a"),
)
# No packet of any link is longer; who says so has a damaged length.
_LONGEST = 1 << 20

# Link types (pcap-linktype) by what reads them.
_LINKS = {
    0: dpkt.loopback.Loopback,
    1: dpkt.ethernet.Ethernet,
    12: dpkt.ip.IP,
    14: dpkt.ip.IP,
    101: dpkt.ip.IP,
    108: dpkt.loopback.Loopback,
    113: dpkt.sll.SLL,
    228: dpkt.ip.IP,
    229: dpkt.ip6.IP6,
    276: dpkt.sll2.SLL2,
}


class Segment(NamedTuple):
    """One TCP segment of a capture."""

    time: float
    """Seconds since the epoch."""
    source: str
    """``host:port``."""
    target: str
    sequence: int
    acknowledged: int
    syn: bool
    fin: bool
    reset: bool
    data: bytes
    size: int
    """Bytes of data that the segment had; more than `data` where the capture cut it."""


def is_capture(first: bytes) -> bool:
    """Say whether a file that begins with these four bytes is a capture."""
    return first[:4] in _MAGICS


class _File:
    """What dpkt reads from: knows where it is, and notices a file that ends too early."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.position = 0
        self.cut = False

    def read(self, size: int) -> bytes:
        if size < 0 or size > _LONGEST:
            raise ValueError(f"a block of {size} bytes")
        data = self._file.read(size)
        if len(data) < size and data:
            self.cut = True
        self.position += len(data)
        return data

    def seek(self, position: int) -> None:
        self._file.seek(position)
        self.position = position


def segments(file: BinaryIO, name: str) -> Iterator[Segment]:
    """Read the TCP segments of a capture, in the order of the file.

    Args:
        file: the capture, at its beginning.
        name: what to call it in errors.

    Raises:
        ToolError: It is damaged, or of a link that carries no IP; what came before has been given.

    """
    source: Any = _File(file)
    try:
        reader = dpkt.pcap.UniversalReader(source)
    except (ValueError, dpkt.UnpackError) as error:
        raise ToolError(
            f"{name} is a damaged capture: its header makes no sense ({error})"
        ) from None
    link = _LINKS.get(reader.datalink())
    if link is None:
        raise ToolError(
            f"{name} was captured on a link of type {reader.datalink()}, which is not known"
        )
    packets = iter(reader)
    while True:
        began = source.position
        try:
            time, packet = next(packets, (0.0, None))
        except (ValueError, dpkt.UnpackError) as error:
            raise ToolError(f"{name} is damaged at byte {began}: {error}") from None
        if source.cut:
            raise ToolError(f"{name} ends in the middle of a packet, which begins at byte {began}")
        if packet is None:
            return
        segment = _segment(float(time), packet, link)
        if segment is not None:
            yield segment


# dpkt makes the attributes of its packets as it reads: no type has them.
def _segment(time: float, packet: bytes, link: Any) -> Segment | None:
    try:
        ip: Any = packet and link(packet)
    except (dpkt.UnpackError, ValueError):
        return None  # another protocol, or cut before its headers end
    while ip and not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6):
        ip = getattr(ip, "data", None)
    if not ip or not isinstance(ip.data, dpkt.tcp.TCP):
        return None
    head: Any = ip
    tcp: Any = ip.data
    if isinstance(ip, dpkt.ip6.IP6):
        ends = [f"[{socket.inet_ntop(socket.AF_INET6, end)}]" for end in (head.src, head.dst)]
        size = head.plen - tcp.off * 4 - sum(map(len, head.extension_hdrs.values()))
    else:
        ends = [socket.inet_ntop(socket.AF_INET, end) for end in (head.src, head.dst)]
        # 0 where the network card has cut what the kernel wrote.
        size = head.len - head.hl * 4 - tcp.off * 4 if head.len else len(tcp.data)
    flags = tcp.flags
    return Segment(
        time,
        f"{ends[0]}:{tcp.sport}",
        f"{ends[1]}:{tcp.dport}",
        tcp.seq,
        tcp.ack if flags & dpkt.tcp.TH_ACK else -1,
        bool(flags & dpkt.tcp.TH_SYN),
        bool(flags & dpkt.tcp.TH_FIN),
        bool(flags & dpkt.tcp.TH_RST),
        bytes(tcp.data),
        max(size, len(tcp.data)),
    )
