"""A script without an event loop: it fills a service with values, many calls at once, from plain code.

    python examples/script/demo.py [HOST:PORT]

Without an address it starts the key-value service of examples/keyvalue for itself.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from tchannel.sync import TChannel

SERVER = Path(__file__).parents[1] / "keyvalue" / "server.py"
COUNT = 500


@contextmanager
def service():
    """Where the service is."""
    if len(sys.argv) > 1:
        yield sys.argv[1]
        return
    with subprocess.Popen([sys.executable, SERVER], stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().removeprefix("listening on ").strip()
        process.terminate()
        process.stdout.read()


def main() -> int:
    """Set them all, then get them all."""
    with service() as hostport, TChannel("script", known_peers=[hostport]) as channel:
        began = time.perf_counter()
        calls = [
            channel.json("keyvalue", "set", {"key": f"k{number}", "value": number})
            for number in range(COUNT)
        ]
        for call in calls:
            call.result(timeout=30)
        print(f"{(time.perf_counter() - began) * 1e3:10.2f} ms  {COUNT} values set")

        calls = [channel.json("keyvalue", "get", {"key": f"k{number}"}) for number in range(COUNT)]
        total = sum(call.result(timeout=30).body["value"] for call in calls)
    return 0 if total == sum(range(COUNT)) else 1


if __name__ == "__main__":
    sys.exit(main())
