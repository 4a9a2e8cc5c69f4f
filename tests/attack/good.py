"""An honest caller, one call after another, in a process of its own.

python good.py PORT [tls]    a line on stdin begins the phase of that name; at the end of stdin it prints
the latencies of each phase, and what went wrong, as JSON
"""

import json
import os
import select
import sys
import time

import frames

PAUSE = 0.003


def main(port: int, *, tls: bool) -> None:
    phases: dict[str, tuple[list[float], list[str]]] = {}
    phase = ""
    end, id = None, 0
    while True:
        if select.select([0], [], [], PAUSE)[0]:
            lines = os.read(0, 1000).decode()
            if not lines:
                break
            phase = lines.split()[-1]
        taken, failed = phases.setdefault(phase, ([], []))
        started = time.perf_counter()
        try:
            if end is None:
                end, id = frames.connect(port, tls=tls), 1
            id += 1
            end.sendall(frames.call(id, arg3=b"0123456789"))
            kind, answered, payload = frames.receive(end)
            assert answered == id, (answered, id)
            if kind != 4 or not payload.endswith(b"0123456789"):
                failed.append(f"frame {kind:#x} {payload[:80]!r}")
        except (OSError, EOFError, AssertionError) as error:
            failed.append(repr(error))
            if end is not None:
                end.close()
            end = None
        taken.append(time.perf_counter() - started)
    print(json.dumps(phases))


if __name__ == "__main__":
    main(int(sys.argv[1]), tls="tls" in sys.argv[2:])
