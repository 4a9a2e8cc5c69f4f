"""Segments written as a capture that Wireshark reads."""

from __future__ import annotations

import ipaddress
from typing import Any, BinaryIO

import dpkt  # type: ignore[import-untyped]  # it has no types

from tchannel.lowlevel import parse_hostport

from .packets import Segment

__all__ = ["Saving"]

# What one packet can carry with its headers, whatever passed in one piece.
_MOST = 60_000


class Saving:
    """Writes segments into a pcapng file, each as an IP packet.

    Args:
        file: where to; it is flushed after each segment, so that it can be watched.

    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writer: Any = dpkt.pcapng.Writer(file, linktype=dpkt.pcap.DLT_RAW)

    def write(self, segment: Segment) -> None:
        """Write a segment."""
        flags = dpkt.tcp.TH_ACK if segment.acknowledged >= 0 else 0
        flags |= dpkt.tcp.TH_SYN if segment.syn else 0
        flags |= dpkt.tcp.TH_FIN if segment.fin else 0
        for start in range(0, len(segment.data) or 1, _MOST):
            piece = segment.data[start : start + _MOST]
            source, sport = parse_hostport(segment.source)
            target, dport = parse_hostport(segment.target)
            tcp = dpkt.tcp.TCP(
                sport=sport,
                dport=dport,
                seq=(segment.sequence + start) % (1 << 32),
                ack=max(segment.acknowledged, 0),
                flags=flags,
                data=piece,
            )
            ends = [ipaddress.ip_address(host.partition("%")[0]) for host in (source, target)]
            if ends[0].version == 6:
                packet = dpkt.ip6.IP6(
                    src=ends[0].packed,
                    dst=ends[1].packed,
                    nxt=dpkt.ip.IP_PROTO_TCP,
                    hlim=64,
                    plen=len(tcp),
                    data=tcp,
                )
            else:
                packet = dpkt.ip.IP(
                    src=ends[0].packed, dst=ends[1].packed, p=dpkt.ip.IP_PROTO_TCP, data=tcp
                )
                packet.len = len(packet)
            self._writer.writepkt(bytes(packet), ts=segment.time)
        self._file.flush()
