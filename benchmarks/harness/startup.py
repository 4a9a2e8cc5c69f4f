"""Start-up: what an import, or a listening channel, costs over what it stands on.

CPU time is taken, not the clock's: imports hardly wait, and a busy machine would add to the clock.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from statistics import median

from harness.interpreters import Interpreter
from harness.processes import cores_for, running_on

IMPORT = """
import time, {base}
started = time.process_time()
import {what}
print(time.process_time() - started)
"""
IMPORT_CHANNEL = """
import time, tornado.ioloop
started = time.process_time()
from tchannel import TChannel
print(time.process_time() - started)
"""
LISTENING = """
import asyncio, time, tornado.ioloop
started = time.process_time()
from tchannel import TChannel

async def main():
    channel = TChannel("benchmark", hostport="127.0.0.1:0")
    channel.listen()
    print(time.process_time() - started)
    await channel.close()

asyncio.run(main())
"""
CASES = (
    ("tchannel_wire", "asyncio", IMPORT.format(what="tchannel_wire", base="asyncio")),
    ("tchannel", "tornado.ioloop", IMPORT.format(what="tchannel", base="tornado.ioloop")),
    # The package exports lazily: importing its name alone loads next to nothing of it.
    ("tchannel.TChannel", "tornado.ioloop", IMPORT_CHANNEL),
    ("channel listening", "tornado.ioloop", LISTENING),
)


@dataclass(slots=True)
class Startup:
    """The CPU time that one step adds to `base`, over fresh processes with warm byte code."""

    what: str
    base: str
    python: str
    status: str = "ok"
    reason: str = ""
    seconds: list[float] = field(default_factory=list)

    @property
    def milliseconds(self) -> float | None:
        """The median, in milliseconds; None when it could not be measured."""
        return median(self.seconds) * 1e3 if self.seconds else None


def measure_startup(interpreters: list[Interpreter], runs: int) -> list[Startup]:
    """Time each case `runs` times on each interpreter, by turns, with all modules compiled."""
    # Byte code of their own, compiled by a first run: where the user's settings forbid to write it,
    # the compiler would be measured, which takes four times as long as an import.
    with tempfile.TemporaryDirectory() as byte_code:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": byte_code}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return _measure(interpreters, runs, environment)


def _measure(
    interpreters: list[Interpreter], runs: int, environment: dict[str, str]
) -> list[Startup]:
    cases = []
    for interpreter in interpreters:
        for what, base, program in CASES:
            startup = Startup(what, base, interpreter.label)
            cases.append((startup, interpreter, program))
            if interpreter.path is None:
                startup.status, startup.reason = "missing", interpreter.reason
    for number in range(runs + 1):
        for startup, interpreter, program in cases:
            if startup.status != "ok":
                continue
            assert interpreter.path is not None
            with running_on(cores_for("client")):
                done = subprocess.run(
                    [interpreter.path, "-c", program],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            if done.returncode:
                last = done.stderr.strip().splitlines()[-1:]
                missing = bool(last) and last[0].startswith(("ImportError", "ModuleNotFoundError"))
                startup.status = "missing" if missing else "failed"
                startup.reason = last[0] if last else f"status {done.returncode}"
            elif number:  # the first run only writes the byte code
                startup.seconds.append(float(done.stdout))
    return [startup for startup, _, _ in cases]
