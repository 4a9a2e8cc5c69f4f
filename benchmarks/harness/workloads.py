"""What is measured: each workload is one load that a client keeps on a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

KIB = 1024
MIB = 1024 * KIB
SIZES = {"16B": 16, "1KiB": KIB, "64KiB": 64 * KIB, "1MiB": MIB}


@dataclass(frozen=True, slots=True)
class Workload:
    """One load.

    `kind` is what a contender must know how to do; `size` is the payload in bytes (of the whole
    stream for "stream"); `in_flight` is the number of calls kept open, or of threads for "sync".
    `handler` is how the service's handler is written. `hooks` names the sides, "client" and
    "server", that have a hook and an interceptor. `memory` asks for the idle memory that each
    connection holds at either end.
    """

    name: str
    kind: str
    size: int = 16
    in_flight: int = 32
    handler: str = "async def"
    connections: int = 1
    peers: int = 1
    hooks: tuple[str, ...] = ()
    memory: bool = False

    @property
    def any_address(self) -> bool:
        """Whether the server must be reachable under many loopback addresses."""
        return self.connections > 1 or self.peers > 1

    @property
    def routed(self) -> bool:
        """Whether calls go through the development router."""
        return self.kind in {"router", "apart-router"}

    @property
    def series(self) -> str:
        """Workloads of one series are compared with each other, and so take turns in one run."""
        return self.kind if self.kind in {"hooks", "connections", "peers"} else self.name

    @property
    def per_call(self) -> str:
        """The unit of the CPU columns."""
        return "stream" if self.kind == "stream" else "call"


def _raw() -> Iterable[Workload]:
    for label, size in SIZES.items():
        for in_flight in (1, 32, 256):
            yield Workload(f"raw-{label}-{in_flight}", "raw", size=size, in_flight=in_flight)
    yield Workload("raw-1MiB-4", "raw", size=MIB, in_flight=4)
    yield Workload("raw-16B-32-plain", "raw", handler="def")
    yield Workload("raw-16B-32-hooks-none", "hooks")
    yield Workload("raw-16B-32-hooks-client", "hooks", hooks=("client",))
    yield Workload("raw-16B-32-hooks-both", "hooks", hooks=("client", "server"))


def _all() -> Iterable[Workload]:
    yield from _raw()
    yield Workload("json-kv-32", "json-kv")
    yield Workload("thrift-kv-32", "thrift-kv")
    yield Workload("thrift-medium-32", "thrift-medium")
    for threads in (1, 16):
        yield Workload(f"sync-{threads}", "sync", in_flight=threads)
    yield Workload("stream-64MiB", "stream", size=64 * MIB, in_flight=1)
    yield Workload("router-16B-32", "router")
    # Answers that do not come together: what waits for an acknowledgement shows here alone.
    yield Workload("apart-calls", "apart-calls", in_flight=1)
    yield Workload("apart-pieces", "apart-pieces", in_flight=1)
    yield Workload("apart-router", "apart-router", in_flight=1)
    for connections in (1, 100, 5000):
        yield Workload(
            f"connections-{connections}",
            "connections",
            connections=connections,
            memory=connections >= 1000,
        )
    for peers in (10, 1000, 10_000):
        yield Workload(f"peers-{peers}", "peers", peers=peers)


WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in _all()}
STARTUP = "startup"
QUICK = ("raw-16B-32",)


def chosen_workloads(patterns: list[str]) -> list[Workload]:
    """The workloads whose name matches one of the patterns (shell style); all without patterns.

    Raises:
        ValueError: a pattern that matches no workload.

    """
    if not patterns:
        return list(WORKLOADS.values())
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in (*WORKLOADS, STARTUP)):
            raise ValueError(f"no workload is called {pattern!r}; --list shows them")
    return [
        workload
        for name, workload in WORKLOADS.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
