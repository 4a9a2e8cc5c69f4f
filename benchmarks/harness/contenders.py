"""Who is measured, and which workloads each of them can take part in."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

RAW = frozenset({"raw"})
CALLS = RAW | {"json-kv", "thrift-kv", "thrift-medium"}
APART = frozenset({"apart-calls", "apart-pieces", "apart-router"})
OURS = CALLS | APART | {"hooks", "sync", "stream", "router", "connections", "peers"}


@dataclass(frozen=True, slots=True)
class Contender:
    """A program in ``benchmarks/contenders`` and how it is run.

    `runtime` is "python" (run once on every interpreter asked for), "py21" (only where
    tchannel-python 2.1.0 can be installed) or "node".
    """

    name: str
    worker: str
    runtime: str
    loop: str
    kinds: frozenset[str]


CONTENDERS: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("ours-uvloop", "ours.py", "python", "uvloop", OURS),
        Contender("ours-asyncio", "ours.py", "python", "asyncio", OURS),
        Contender("floor-uvloop", "floor.py", "python", "uvloop", RAW | {"connections"}),
        Contender("floor-asyncio", "floor.py", "python", "asyncio", RAW | {"connections"}),
        Contender("node", "node.js", "node", "libuv", CALLS),
        Contender("py21", "py21.py", "py21", "tornado", CALLS),
        Contender("grpc-aio", "grpc_aio.py", "python", "asyncio", RAW),
        Contender("grpc-aio-uvloop", "grpc_aio.py", "python", "uvloop", RAW),
        Contender("grpc-sync", "grpc_sync.py", "python", "asyncio", frozenset({"sync"})),
        Contender(
            "thriftpy2-asyncio",
            "thriftpy2_aio.py",
            "python",
            "asyncio",
            frozenset({"thrift-kv", "thrift-medium"}),
        ),
        Contender(
            "thriftpy2-uvloop",
            "thriftpy2_aio.py",
            "python",
            "uvloop",
            frozenset({"thrift-kv", "thrift-medium"}),
        ),
    )
}
# Not in --quick: what only adds a second figure for a contender that is there already.
NOT_QUICK = frozenset({"grpc-aio-uvloop"})


def chosen_contenders(patterns: list[str]) -> list[Contender]:
    """The contenders whose name matches one of the patterns (shell style); all without patterns.

    Raises:
        ValueError: a pattern that matches no contender.

    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in CONTENDERS):
            known = ", ".join(CONTENDERS)
            raise ValueError(f"no contender is called {pattern!r}; there are {known}")
    return [
        contender
        for name, contender in CONTENDERS.items()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
