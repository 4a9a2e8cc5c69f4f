"""The conversation between the harness and a Python worker, and the load a client keeps up.

A worker is a process of its own, started as ``worker.py '{"role": ..., ...}'``. It writes one JSON
object per line on stdout and reads one per line on stdin; the end of stdin ends it, so that no
worker outlives the harness. A server says ``ready`` and answers ``usage``; a client says ``ready``
and obeys ``connect``, ``run``, ``latency`` and ``usage``. ``missing`` says what is not installed.

Works on every Python that a contender needs, with nothing but the standard library.
"""

from __future__ import annotations

import array
import asyncio
import gc
import json
import os
import platform
import resource
import socket
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NoReturn

AsyncCall = Callable[[], Awaitable[object]]
SyncCall = Callable[[], object]


class MissingError(Exception):
    """The contender, or the layer that this workload needs, is not there; the text says why."""


def say(event: str, **fields: object) -> None:
    """Write one event for the harness."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def cpu() -> float:
    """CPU seconds of this process so far, all threads, in user and system mode."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def usage() -> dict[str, float]:
    """CPU seconds so far, then (so that collecting garbage is not in them) resident bytes."""
    spent = cpu()
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * resource.getpagesize()
    return {"cpu": spent, "rss": resident}


def info(handler: str, loop: str, version: str) -> dict[str, str]:
    """What every row of the report must name."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"runtime": python, "loop": loop, "handler": handler, "version": version}


def request_more_files() -> None:
    """Raise the limit of open files to what the system allows: thousands of connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve_control() -> None:
    """Answer the harness from a thread, which sleeps in a read and so costs the server nothing."""

    def answer() -> None:
        for line in sys.stdin:
            if json.loads(line)["cmd"] == "usage":
                say("usage", **usage())
        os._exit(0)

    threading.Thread(target=answer, daemon=True).start()


def percentiles(nanoseconds: array.array[int]) -> dict[str, float]:
    """The 50th and 99th percentile, in microseconds."""
    ordered = sorted(nanoseconds)
    if not ordered:
        raise RuntimeError("no call finished within the latency section")
    last = len(ordered) - 1
    return {
        "count": len(ordered),
        "p50": ordered[round(last * 0.50)] / 1e3,
        "p99": ordered[round(last * 0.99)] / 1e3,
    }


def measured(section: Callable[[], int]) -> dict[str, float]:
    """Run a section that returns its number of calls; say what it took."""
    before, started = cpu(), time.perf_counter()
    calls = section()
    return {"calls": calls, "wall": time.perf_counter() - started, "cpu": cpu() - before}


async def keep_in_flight(calls: Sequence[AsyncCall], seconds: float) -> int:
    """Keep one call of each lane in flight for `seconds`; returns how many were answered."""
    running = True

    def stop() -> None:
        nonlocal running
        running = False

    async def lane(call: AsyncCall) -> int:
        answered = 0
        while running:
            await call()
            answered += 1
        return answered

    asyncio.get_running_loop().call_later(seconds, stop)
    return sum(await asyncio.gather(*(lane(call) for call in calls)))


async def time_each(calls: Sequence[AsyncCall], seconds: float) -> array.array[int]:
    """The same load, each call timed; apart, so that timing does not weigh on the CPU figures."""
    taken = array.array("q")
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)

    async def lane(call: AsyncCall) -> None:
        now = clock()
        while now < end:
            started = now
            await call()
            now = clock()
            taken.append(now - started)

    await asyncio.gather(*(lane(call) for call in calls))
    return taken


class AsyncClient:
    """A client whose calls are awaited, one lane per call in flight.

    `lanes` has one callable per call in flight; `connect`, if any, opens what the workload counts.
    """

    def __init__(
        self, lanes: Sequence[AsyncCall], connect: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.lanes = lanes
        self.connect = connect

    async def obey(self) -> None:
        """Carry out the harness's commands until it closes the pipe."""
        for line in sys.stdin:  # blocks the loop on purpose: nothing happens between sections
            command = json.loads(line)
            name = command["cmd"]
            if name == "usage":
                say("usage", **usage())
            elif name == "connect":
                if self.connect is not None:
                    await self.connect()
                say("connect")
            elif name == "run":
                before, started = cpu(), time.perf_counter()
                answered = await keep_in_flight(self.lanes, command["seconds"])
                wall = time.perf_counter() - started
                say("run", calls=answered, wall=wall, cpu=cpu() - before)
            elif name == "latency":
                say("latency", **percentiles(await time_each(self.lanes, command["seconds"])))


def obey_with_threads(calls: Sequence[SyncCall]) -> None:
    """The same commands for a client that blocks: one thread per call in flight."""

    def in_threads(work: Callable[[SyncCall], None]) -> None:
        threads = [threading.Thread(target=work, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def section(seconds: float) -> array.array[int]:
        taken: list[array.array[int]] = []
        clock = time.perf_counter_ns
        end = clock() + int(seconds * 1e9)

        def lane(call: SyncCall) -> None:
            mine = array.array("q")
            now = clock()
            while now < end:
                started = now
                call()
                now = clock()
                mine.append(now - started)
            taken.append(mine)

        in_threads(lane)
        if len(taken) != len(calls):
            raise RuntimeError(f"{len(calls) - len(taken)} of {len(calls)} threads failed")
        joined = array.array("q")
        for part in taken:
            joined.extend(part)
        return joined

    def count(seconds: float) -> int:
        return len(section(seconds))

    for line in sys.stdin:
        command = json.loads(line)
        name = command["cmd"]
        if name == "usage":
            say("usage", **usage())
        elif name == "connect":
            say("connect")
        elif name == "run":
            say("run", **measured(partial(count, command["seconds"])))
        elif name == "latency":
            say("latency", **percentiles(section(command["seconds"])))


def delay_small_frames() -> None:
    """Take TCP_NODELAY from the connections that this process accepts from now on.

    asyncio leaves the option alone on sockets that were accepted from a listener of protocol 0, and so
    does this with our own setting of it; uvloop sets it below Python, where this does not reach.
    """
    accept, set_option = socket.socket.accept, socket.socket.setsockopt
    accepted: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def remember(listening: socket.socket) -> Any:
        sock, address = accept(listening)
        accepted.add(sock)
        return sock, address

    def without_nodelay(sock: socket.socket, level: int, option: int, *value: Any) -> None:
        if sock not in accepted or (level, option) != (socket.IPPROTO_TCP, socket.TCP_NODELAY):
            set_option(sock, level, option, *value)

    socket.socket.accept = remember  # type: ignore[method-assign]
    socket.socket.setsockopt = without_nodelay  # type: ignore[method-assign, assignment]


def run_loop(main: Coroutine[Any, Any, None], loop: str) -> None:
    """Run `main` on the named loop: "asyncio" or "uvloop"."""
    if loop == "uvloop":
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)


def new_loop(loop: str) -> asyncio.AbstractEventLoop:
    """A new loop of the named kind, for a contender that runs it itself."""
    if loop == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody holds now, for what cannot be told port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report_missing(error: Exception) -> NoReturn:
    """Tell the harness what is not installed, and end."""
    say("missing", reason=str(error))
    os._exit(1)


def run_worker(
    server: Callable[[dict[str, Any]], None], client: Callable[[dict[str, Any]], None]
) -> NoReturn:
    """Play the role of the command line; report what is missing or went wrong, then exit."""
    task = json.loads(sys.argv[1])
    request_more_files()
    if task.get("delayed"):
        delay_small_frames()
    status = 1
    try:
        (server if task["role"] == "server" else client)(task)
        status = 0
    except (ImportError, MissingError) as error:
        report_missing(error)
    except Exception as error:
        traceback.print_exc()
        say("failed", reason=f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    os._exit(status)


def body_of(size: int) -> bytes:
    """The payload of a workload: `size` bytes that are not all alike."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def require_equal(expected: object, got: object) -> None:
    """Refuse to measure a contender that gives a wrong answer."""
    if got != expected:
        raise RuntimeError(f"wrong answer: {str(got)[:80]!r}, expected {str(expected)[:80]!r}")


def loopback_addresses(count: int, port: int) -> list[str]:
    """`count` host:port pairs of one listener; more than one need it bound to 0.0.0.0."""
    if count == 1:
        return [f"127.0.0.1:{port}"]
    return [f"127.{1 + n // 65025}.{n // 255 % 255}.{1 + n % 255}:{port}" for n in range(count)]
