"""The small-call path in one process, a fixed number of times, for ``check.py`` to count.

    python benchmarks/small_call.py floor|wire|channel|alone|counters CALLS [--say-native]

"wire" joins two sans-IO connections in memory; "channel" calls a channel over loopback in the same
process, 32 in flight, "alone" one after another, and "counters" is "channel" without histograms of
latency; "floor" frames and echoes the same payload in memory and nothing else.
Prints the CPU seconds of the calls alone, and with ``--say-native`` which parts were native, as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "contenders"))

IN_FLIGHT = 32
BODY = bytes(range(16))


def print_time(started: float) -> None:
    """Print the CPU seconds since `started`."""
    print(time.process_time() - started)


def settle() -> float:
    """Take what set-up left out of the collector's sight; returns the CPU time now."""
    gc.collect()
    gc.freeze()
    return time.process_time()


async def floor(calls: int) -> None:
    """Framed bytes handed from one protocol to the other, back and forth.

    No socket is between them: how many frames the kernel hands over at once would be counted too,
    and is another number on another machine.
    """
    import floor as bare

    class Counted(bare.Load):
        """Ends after a number of answers instead of after a time."""

        def answer(self, lane: int) -> bool:
            self.answered += 1
            return self.answered + IN_FLIGHT <= calls

    class Pipe(asyncio.Transport):
        """Keeps what is written."""

        written = b""

        def write(self, data: bytes | bytearray | memoryview) -> None:
            self.written += data

        def taken(self) -> bytes:
            """What was written since the last time."""
            data, self.written = self.written, b""
            return data

    load = Counted({lane: bare.message_frames(lane, BODY) for lane in range(IN_FLIGHT)})
    client, server = bare.Connection(load), bare.Echo()
    there, back = Pipe(), Pipe()
    client.connection_made(there)
    server.connection_made(back)
    load.connections.append(client)
    started = settle()
    load.send(list(load.messages.values()))
    while load.answered < calls:
        server.data_received(there.taken())
        client.data_received(back.taken())
    print_time(started)


async def channel(calls: int, *, timed: bool = True, in_flight: int = IN_FLIGHT) -> None:
    """The public API: one raw echo after another on each lane.

    Args:
        calls: How many.
        in_flight: How many lanes, which is how many calls are under way at once.
        timed: Whether the histograms of latency are kept, or the counters alone.

    """
    from tchannel import Request, Response, TChannel
    from tchannel.options import Options

    options = Options(latency_histograms=timed)
    server = TChannel("benchmark", hostport="127.0.0.1:0", options=options)

    @server.raw.register
    async def echo(request: Request) -> Response:
        return Response(request.body, request.headers)

    server.listen()
    client = TChannel("client", known_peers=[server.hostport], options=options)

    async def lane() -> None:
        for _ in range(calls // in_flight):
            await client.raw("benchmark", "echo", BODY)

    response = await client.raw("benchmark", "echo", BODY)
    assert response.body == BODY
    started = settle()
    await asyncio.gather(*(lane() for _ in range(in_flight)))
    print_time(started)
    await client.close()
    await server.close()


async def alone(calls: int) -> None:
    """One call in flight: each pays for its own reads, writes and turns of the loop."""
    await channel(calls, in_flight=1)


async def counters(calls: int) -> None:
    """The same with counters alone."""
    await channel(calls, timed=False)


async def wire(calls: int) -> None:
    """The sans-IO layer alone: bytes handed from one connection to the other."""
    import tchannel_wire as wire_layer

    def connection(*, opener: bool) -> wire_layer.Connection:
        return wire_layer.Connection(
            opener=opener, host_port="127.0.0.1:1", process_name="benchmark", now=0.0
        )

    client, server = connection(opener=True), connection(opener=False)
    server.receive(client.data_to_send(), 0.0)
    client.receive(server.data_to_send(), 0.0)
    prepared = wire_layer.prepare_call(
        "benchmark", {"as": "raw", "cn": "client"}, b"echo", wire_layer.ChecksumType.CRC32C
    )
    headers = wire_layer.encode_headers({"as": "raw"})
    tracing = bytes(25)
    started = settle()
    answered = 0
    for _ in range(calls // IN_FLIGHT):
        for _ in range(IN_FLIGHT):
            client.call(prepared, b"", BODY, ttl=30.0, tracing=tracing, now=0.0)
        for request in server.receive(client.data_to_send(), 0.0):
            assert isinstance(request, wire_layer.RequestReceived)
            server.respond(request.id, headers, request.arg2, request.arg3)
        answered += len(client.receive(server.data_to_send(), 0.0))
    print_time(started)
    assert answered == calls


class SlowTime(asyncio.SelectorEventLoop):
    """A loop whose time goes by as much slower as valgrind makes the machine.

    A server that took fifty times as long would rightly queue what it reads, and another path than
    the usual one would be counted.
    """

    def time(self) -> float:
        """Seconds, a hundredth of the real ones."""
        return time.monotonic() * 0.01


PATHS = {"floor": floor, "wire": wire, "channel": channel, "alone": alone, "counters": counters}


def say_native() -> None:
    """Print which parts were native in this process; ``{}`` without tchannel-speedups."""
    import json

    try:
        from tchannel_speedups import active
    except ImportError:
        print("{}")
    else:
        print(json.dumps(active()))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=SlowTime) as runner:
        runner.run(PATHS[sys.argv[1]](int(sys.argv[2])))
    if "--say-native" in sys.argv:
        say_native()
