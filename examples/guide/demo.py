"""The guide, end to end: a router, the Thrift services advertised on it, and clients that call by name.

    python examples/guide/demo.py                      with the development router
    python examples/guide/demo.py HOST:PORT [...]      with routers that run already

Each part is a process of its own. Exits with 1 when an answer is wrong or a part does not start.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
SERVERS = HERE / "keyvalue" / "keyvalue"


class DidNotStart(Exception):
    """A process that did not say what it says when it is ready."""


@contextmanager
def process(name: str, ready: str, argv: Sequence[str]) -> Iterator[list[str]]:
    """Run a process until the block ends; gives the lines that it printed until it was ready."""
    running = subprocess.Popen([sys.executable, *argv], stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        lines: list[str] = []
        for line in running.stdout:
            lines.append(line.strip())
            if ready in line.lower():
                break
        else:
            raise DidNotStart(f"{name} ended: {' '.join(lines)}")
        print(f"{name}: {', '.join(lines)} (process {running.pid})", flush=True)
        yield lines
    finally:
        running.terminate()
        running.communicate(timeout=30)


def run(routers: Sequence[str]) -> int:
    """Return the worst exit code of the clients."""
    with ExitStack() as stack:
        if not routers:
            argv = ["-m", "tchannel_hyperbahn", "router", "--port", "0"]
            lines = stack.enter_context(process("router", "listening on", argv))
            routers = [lines[-1].lower().split("listening on ")[1].split()[0]]
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        hosts = Path(folder) / "hyperbahn_hosts.json"
        hosts.write_text(json.dumps(list(routers)))
        for server in ("loading_server.py", "slow_server.py"):
            argv = [str(SERVERS / server), str(hosts)]
            stack.enter_context(process(server, "advertised", argv))
        client = [sys.executable, str(HERE / "routed_client.py"), str(hosts)]
        return max(subprocess.call([*client, kind]) for kind in ("async", "sync"))


def main() -> int:
    """Return the exit code."""
    try:
        return run(sys.argv[1:])
    except DidNotStart as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
