"""A tool on the wire package alone: what passes between two ends, one line a message.

    python examples/sniffer/demo.py

`Sniffer` takes the bytes of one direction as they come, in any pieces, and has neither socket nor loop;
feed it from a proxy, a capture, a log. Here it looks at a conversation of two connections in memory.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import tchannel_wire as wire


class Sniffer:
    """Says what the bytes of one direction mean."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frames = wire.FrameBuffer()

    def feed(self, data: bytes) -> Iterator[str]:
        """The messages that are complete with these bytes."""
        for one in self.frames.split(data):
            frame = wire.Frame.decode(one)
            name = wire.FrameType(frame.type).name
            yield f"{self.name} {frame.id:>5} {name}  {len(frame.payload)} bytes"


def main() -> int:
    """A handshake, a call and its answer, as seen from outside."""
    began = time.perf_counter()
    ends = {
        "client": wire.Connection(
            opener=True, host_port="0.0.0.0:0", process_name="client", now=0.0
        ),
        "server": wire.Connection(
            opener=False, host_port="127.0.0.1:4040", process_name="server", now=0.0
        ),
    }
    sniffers = {name: Sniffer(f"{name:>6} →") for name in ends}
    lines: list[str] = []

    def pass_on(sender: str, receiver: str) -> list[wire.Event]:
        data = ends[sender].data_to_send()
        for piece in (data[:7], data[7:]):  # nobody promises whole frames
            lines.extend(sniffers[sender].feed(piece))
        return ends[receiver].receive(data, 0.0)

    pass_on("client", "server")
    pass_on("server", "client")
    prepared = wire.prepare_call(
        "echo", {"as": "raw", "cn": "demo"}, b"say", wire.ChecksumType.CRC32C
    )
    ends["client"].call(prepared, b"", b"hello", ttl=1.0, tracing=bytes(25), now=0.0)
    (request,) = pass_on("client", "server")
    ends["server"].respond(request.id, wire.encode_headers({"as": "raw"}), b"", request.arg3)
    (response,) = pass_on("server", "client")

    print("\n".join(lines))
    print(f"{(time.perf_counter() - began) * 1e3:10.2f} ms  answer: {response.arg3!r}")
    return 0 if response.arg3 == b"hello" and len(lines) == 4 else 1


if __name__ == "__main__":
    sys.exit(main())
