"""``python -m tchannel_testing proxy``: a fault proxy for a shell."""

import argparse
import asyncio
import sys
import threading
from typing import Any

from .proxy.commands import HELP, CommandError, execute, parse_settings
from .proxy.server import FaultProxy


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m tchannel_testing")
    add_parser(parser.add_subparsers(dest="command", required=True))
    try:
        return run(parser.parse_args(argv))
    except (OSError, ValueError) as error:
        parser.error(str(error))


# Parsers of any class: `tchannel proxy` has one of its own.
def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command ``proxy`` to those of a program."""
    proxy = commands.add_parser(
        "proxy",
        help="forward TCP connections, with faults",
        description="Forward TCP connections to UPSTREAM, with faults that can be switched while "
        "it runs: one command per line on the standard input.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    proxy.add_argument("upstream", metavar="UPSTREAM", help="host:port to connect to")
    proxy.add_argument(
        "--listen",
        default="127.0.0.1:0",
        metavar="HOST:PORT",
        help="where to listen (default 127.0.0.1:0, any port)",
    )
    proxy.add_argument("--seed", type=int, help="makes jitter and corruption repeatable")
    proxy.add_argument(
        "faults", nargs="*", default=[], metavar="FAULT=VALUE", help="for both directions"
    )
    proxy.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the proxy until it is interrupted; returns the exit code.

    Raises:
        OSError: Its address cannot be listened on.
        ValueError: An option makes no sense.

    """
    server = FaultProxy(options.upstream, listen=options.listen, seed=options.seed)
    server.set(**parse_settings(options.faults))
    try:
        asyncio.run(_run(server))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        raise OSError(f"cannot listen on {options.listen}: {error.strerror}") from None
    return 0


async def _run(proxy: FaultProxy) -> None:
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        # A thread, because an event loop cannot watch every kind of standard input.
        for line in sys.stdin:
            try:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            except RuntimeError:  # the loop has ended
                return

    async with proxy:
        print(f"listening on {proxy.hostport}", flush=True)
        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                answer = execute(proxy, await lines.get())
            except CommandError as error:
                answer = f"error: {error}"
            if answer is None:
                return
            if answer:
                print(answer, flush=True)


if __name__ == "__main__":
    sys.exit(main())
