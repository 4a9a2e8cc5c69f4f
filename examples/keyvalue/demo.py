"""Runs the server and the client, each in a process of its own; exits with the client's code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Return the client's exit code, or 1 when the server does not begin or end as it should."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line.startswith("listening on "):
            print(f"the server did not start: {line}", file=sys.stderr)
            return 1
        hostport = line.removeprefix("listening on ").strip()
        print(f"server: {line.strip()} (process {server.pid})", flush=True)
        code = subprocess.call([sys.executable, str(HERE / "client.py"), hostport])
    finally:
        server.terminate()
        rest, _ = server.communicate(timeout=30)
    print(f"server: {rest.strip()}")
    return code or (0 if server.returncode == 0 else 1)


if __name__ == "__main__":
    sys.exit(main())
