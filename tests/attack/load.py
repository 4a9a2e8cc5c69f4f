"""More calls than a service can answer, from a process of its own.

    python load.py PORT PID ENDPOINT CPU TTL FACTOR SECONDS

Measures the capacity (answers per second of a closed loop with 32 in flight), then offers FACTOR times
as much for SECONDS, then looks how soon the service is itself again. Prints what was seen as JSON.

Rates are those of the seconds in which the service ran or had nothing to do, not of those in which it
waited for a core that others had: the machine may have more to do in one phase than in another.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from pathlib import Path

import frames

IN_FLIGHT, CONNECTIONS, WARM_UP, CLOSED = 32, 8, 1.0, 5.0


class Clock:
    """Counts the seconds in which a process could have run.

    Args:
        pid: Of the process.

    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began, self._waited = time.perf_counter(), self._waited_for_a_core()

    def _waited_for_a_core(self) -> float:
        """Seconds so far, of its main thread; 0 where the kernel does not tell."""
        try:
            text = Path(f"/proc/{self._pid}/schedstat").read_text(encoding="ascii")
        except FileNotFoundError:
            return 0.0
        return int(text.split()[1]) / 1e9

    def seconds(self) -> float:
        """Since it was made."""
        lost = self._waited_for_a_core() - self._waited
        return max(time.perf_counter() - self._began - lost, 1e-3)


class Lane:
    """A connection with what is on its way."""

    def __init__(self, port: int) -> None:
        self.end = frames.connect(port)
        self.end.setblocking(False)
        self.sent: dict[int, float] = {}
        self.unsent = bytearray()
        self.unread = bytearray()
        self.next_id = 10

    def call(self, endpoint: bytes, cpu: bytes, ttl: float, now: float) -> None:
        self.next_id += 1
        self.sent[self.next_id] = now
        self.unsent += frames.call(self.next_id, endpoint, arg3=cpu, ttl_ms=int(ttl * 1000))

    def write(self) -> None:
        if self.unsent:
            try:
                del self.unsent[: self.end.send(self.unsent)]
            except BlockingIOError:
                pass

    def answers(self) -> list[tuple[float, str]]:
        """When each call that is answered now was made, and how."""
        try:
            while data := self.end.recv(1 << 18):
                self.unread += data
                if len(data) < 1 << 18:
                    break
        except BlockingIOError:
            pass
        found, at = [], 0
        buffer = self.unread
        while len(buffer) - at >= 17:
            size = buffer[at] << 8 | buffer[at + 1]
            if len(buffer) - at < size:
                break
            kind, id = buffer[at + 2], int.from_bytes(buffer[at + 4 : at + 8], "big")
            started = self.sent.pop(id, None)
            if started is not None:
                found.append((started, "ok" if kind == 4 else f"error {buffer[at + 16]}"))
            at += size
        del buffer[:at]
        return found


def turn(lanes: list[Lane], wait: float) -> list[tuple[Lane, float, str]]:
    by_end: dict[socket.socket, Lane] = {lane.end: lane for lane in lanes}
    writing = [lane.end for lane in lanes if lane.unsent]
    readable, writable, _ = select.select(list(by_end), writing, [], wait)
    for end in writable:
        by_end[end].write()
    return [(by_end[end], *answer) for end in readable for answer in by_end[end].answers()]


def closed_loop(lanes: list[Lane], pid: int, endpoint: bytes, cpu: bytes) -> tuple[float, float]:
    """Answers with 32 calls in flight: per second that the service could run in, and per second."""
    began = time.perf_counter()
    answered = 0
    clock: Clock | None = None
    for n in range(IN_FLIGHT):
        lanes[n % len(lanes)].call(endpoint, cpu, 30, began)
    while (now := time.perf_counter()) < began + WARM_UP + CLOSED:
        if clock is None and now > began + WARM_UP:
            clock = Clock(pid)
        for lane, _, _ in turn(lanes, 0.05):
            answered += clock is not None
            lane.call(endpoint, cpu, 30, now)
            lane.write()
        for lane in lanes:
            lane.write()
    assert clock is not None
    seconds = clock.seconds()
    while any(lane.sent for lane in lanes):
        turn(lanes, 0.05)
    return answered / seconds, answered / CLOSED


def open_loop(
    lanes: list[Lane],
    pid: int,
    endpoint: bytes,
    cpu: bytes,
    ttl: float,
    rate: float,
    seconds: float,
) -> dict[str, object]:
    """Calls at a rate, whatever is answered."""
    began = time.perf_counter()
    clock, could_run = Clock(pid), 0.0
    made = 0
    outcomes: dict[str, int] = {}
    latencies: list[float] = []
    refused: list[float] = []
    while (now := time.perf_counter()) < began + seconds + 2 * ttl + 1:
        due = int(rate * (min(now, began + seconds) - began))
        while made < due:
            lanes[made % len(lanes)].call(endpoint, cpu, ttl, began + made / rate)
            made += 1
        for lane in lanes:
            lane.write()
        for _, started, outcome in turn(lanes, 0.002):
            took = time.perf_counter() - started
            if outcome == "ok" and took > ttl:
                outcome = "ok, late"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            (latencies if outcome.startswith("ok") else refused).append(took)
        if now > began + seconds and not could_run:
            could_run = clock.seconds()
        if now > began + seconds and not any(lane.sent for lane in lanes):
            break
    latencies.sort()
    refused.sort()
    return {
        "made": made,
        "outcomes": outcomes,
        "unanswered": sum(len(lane.sent) for lane in lanes),
        "in_time_per_second": outcomes.get("ok", 0) / could_run,
        "could_run": could_run / seconds,
        "p50": at(latencies, 0.5),
        "p99": at(latencies, 0.99),
        "refused_p50": at(refused, 0.5),
        "refused_p99": at(refused, 0.99),
    }


def at(values: list[float], share: float) -> float | None:
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def recovery(port: int, endpoint: bytes, cpu: bytes) -> float:
    """Seconds until ten calls in a row are answered within ten times their work, or 0.1 s."""
    began = time.perf_counter()
    lane = Lane(port)
    good, first = 0, 0.0
    while good < 10 and time.perf_counter() < began + 30:
        now = time.perf_counter()
        if not good:
            first = now
        lane.call(endpoint, cpu, 5, now)
        lane.write()
        answers: list[tuple[Lane, float, str]] = []
        while not answers and time.perf_counter() < now + 5:
            answers = turn([lane], 0.05)
        fast = time.perf_counter() - now < max(0.1, 10 * float(cpu))
        good = good + 1 if answers and answers[0][2] == "ok" and fast else 0
    return first - began


def main(
    port: int, pid: int, endpoint: str, cpu: str, ttl: float, factor: float, seconds: float
) -> None:
    work, name = cpu.encode(), endpoint.encode()
    lanes = [Lane(port) for _ in range(CONNECTIONS)]
    capacity, answered = closed_loop(lanes, pid, name, work)
    seen = open_loop(lanes, pid, name, work, ttl, factor * answered, seconds)
    recovered = recovery(port, name, work)
    after, _ = closed_loop(lanes, pid, name, work)
    print(json.dumps({"capacity": capacity, "after": after, "recovered": recovered, **seen}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5], *map(float, sys.argv[5:8]))
