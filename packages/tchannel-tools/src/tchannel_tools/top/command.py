"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

from rich.live import Live

from .._calling.connecting import make_channel
from .._calling.hosts import check_peers
from .._calling.options import Where, add_common, add_where, where_of
from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import console, print_json_line
from .._terminal.parsing import Commands, Parser, add_command
from .._terminal.quantities import duration
from .asking import Asking
from .rows import Host
from .screen import VIEWS, Screen

__all__ = ["add_parser"]

_INTERVAL: Final = "1s"
_PIPED: Final = 100
_EXAMPLES = """
tchannel top 127.0.0.1:4040
tchannel top 10.0.0.1:4040 10.0.0.2:4040 --interval 5s
tchannel top 127.0.0.1:4040 --view calls --sort age
tchannel top 127.0.0.1:4040 --once
tchannel top 127.0.0.1:4040 --json | jq .hosts[0].endpoints
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    views = ", ".join(one.name for one in VIEWS)
    parser = add_command(
        commands,
        "top",
        help="show what services are doing, live",
        description="Show endpoints, peers and calls in flight of services, live: from the statistics "
        "of this library's services, else from the introspection of tchannel-go's. Keys: e, p and c "
        "show endpoints, peers and calls; s and S sort by the next and the last column, r turns the "
        "order round; space pauses; q ends. A host that is down is shown so, and asked again. Rates and "
        "latencies are of the time since the last look; at first, of the whole life of the service. "
        "Where the output is no terminal, it is shown once.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add(
        "peer",
        metavar="HOST:PORT",
        nargs="*",
        help="the hosts; default those of -p, or the context",
    )
    add("--interval", default=_INTERVAL, metavar="TIME", help=f"how often (default {_INTERVAL})")
    add("--view", choices=[one.name for one in VIEWS], default=VIEWS[0].name, help=f"{views}")
    add("--sort", metavar="COLUMN", help="the column to sort by, as its title is")
    add("--once", action="store_true", help="show it once, after an interval, and end")
    add_where(parser)
    add_common(parser, json="an object a line, one for each look")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show it until it is ended; returns the exit code: 125 where no host could be asked at last.

    Raises:
        ToolError: Something makes no sense.

    """
    given = [*options.peer, *options.peers]
    options.peers = check_peers(given, "the host") if given else []
    where = where_of(options, required=False)
    if not where.peers:
        raise ToolError("say whom to show: tchannel top HOST:PORT")
    interval = duration(options.interval, "--interval")
    if interval <= 0:
        raise ToolError("--interval is more than nothing")
    view = next(one for one in VIEWS if one.name == options.view)
    titles = [one.title for one in view.columns]
    if options.sort is not None and options.sort not in titles:
        raise ToolError(f"--sort is one of {', '.join(titles)}; not {options.sort!r}")
    screen = Screen(view, options.sort)
    return asyncio.run(_show(options, where, screen, interval))


async def _show(options: argparse.Namespace, where: Where, screen: Screen, interval: float) -> int:
    channel = make_channel(where.target("tchannel"), where.tls)
    asking = Asking(channel, where.peers, where)
    try:
        if options.json:
            return await _print_json(asking, interval, once=options.once)
        if options.once or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return await _print_once(asking, screen, interval)
        return await _live(asking, screen, interval)
    finally:
        await channel.close(grace=0.1)


async def _print_json(asking: Asking, interval: float, *, once: bool) -> int:
    hosts = await asking.ask()
    while True:
        if once:
            await asyncio.sleep(interval)
            hosts = await asking.ask()
        print_json_line({"time": time.time(), "hosts": [asdict(host) for host in hosts]})
        if once:
            return _code(hosts)
        await asyncio.sleep(interval)
        hosts = await asking.ask()


async def _print_once(asking: Asking, screen: Screen, interval: float) -> int:
    hosts = await asking.ask()
    if any(host.by == "stats" for host in hosts):
        # Rates are of a time, so there must be two looks.
        await asyncio.sleep(interval)
        hosts = await asking.ask()
    on = console(_PIPED)
    on.print(screen.draw(hosts, width=on.width))
    return _code(hosts)


def _code(hosts: Sequence[Host]) -> int:
    return ExitCode.TOOL if hosts and all(host.problem for host in hosts) else ExitCode.OK


async def _live(asking: Asking, screen: Screen, interval: float) -> int:
    """Draw anew with each look, and with each key, which waits for no host."""
    loop = asyncio.get_running_loop()
    on = console()
    pressed: asyncio.Future[None] = loop.create_future()
    looking: asyncio.Future[list[Host]] | None = None
    ended = False
    hosts: list[Host] = []

    def read() -> None:
        nonlocal ended
        for key in os.read(sys.stdin.fileno(), 64).decode(errors="replace") or "q":
            ended = ended or not screen.press(key)
        if not pressed.done():
            pressed.set_result(None)

    with _keys(), Live(console=on, screen=True, auto_refresh=False) as live:
        loop.add_reader(sys.stdin, read)
        due = loop.time()
        try:
            while not ended:
                if loop.time() >= due:
                    due = loop.time() + interval
                    if looking is None and not screen.paused:
                        looking = asyncio.ensure_future(asking.ask())
                if looking is not None and looking.done():
                    hosts, looking = looking.result(), None
                live.update(screen.draw(hosts, on.height, on.width), refresh=True)
                if pressed.done():
                    pressed = loop.create_future()
                await asyncio.wait(
                    [one for one in (pressed, looking) if one is not None],
                    # No asyncio.timeout: one that ends as a key comes cancels more (Python 3.11).
                    timeout=max(0.0, due - loop.time()),
                    return_when=asyncio.FIRST_COMPLETED,
                )
        finally:
            loop.remove_reader(sys.stdin)
            if looking is not None:
                looking.cancel()
                await asyncio.wait([looking])
    return _code(hosts)


@contextmanager
def _keys() -> Iterator[None]:
    """Let keys come one by one, without an echo; the terminal is as it was afterwards."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
