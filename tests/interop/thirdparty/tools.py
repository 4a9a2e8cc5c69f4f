"""Our tcurl and the real one of Node.js, run with the same arguments."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from thirdparty.install import TCURL

OURS = (sys.executable, "-m", "tchannel.tcurl")
NODES = ("node", str(TCURL))


@dataclass(frozen=True)
class Ran:
    """What a run of a tool left behind."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, decoded."""
        return json.loads(self.out)


RunBoth = Callable[..., Awaitable[tuple[Ran, Ran]]]


async def run_tool(tool: tuple[str, ...], *argv: str) -> Ran:
    """Run a tool without anything on its standard input."""
    process = await asyncio.create_subprocess_exec(
        *tool,
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ran(process.returncode, out.decode(), err.decode())


def on_both(hostport: str, service: str) -> RunBoth:
    """A function that runs ours and the real one on this target, with the arguments that it is given."""
    to = ("-p", hostport, service, "--timeout", "5000")

    async def run(*argv: str) -> tuple[Ran, Ran]:
        ours, nodes = await asyncio.gather(run_tool(OURS, *to, *argv), run_tool(NODES, *to, *argv))
        return ours, nodes

    return run
