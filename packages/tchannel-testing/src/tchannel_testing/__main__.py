"""``python -m tchannel_testing proxy``: a fault proxy for a shell."""

import argparse
import asyncio
import sys
import threading

from .proxy.commands import HELP, CommandError, execute, parse_settings
from .proxy.server import FaultProxy


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m tchannel_testing")
    commands = parser.add_subparsers(dest="command", required=True)
    proxy = commands.add_parser(
        "proxy",
        help="forward TCP connections, with faults",
        description="Forward TCP connections to UPSTREAM, with faults that can be switched while "
        "it runs: one command per line on the standard input.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    proxy.add_argument("upstream", metavar="UPSTREAM", help="host:port to connect to")
    proxy.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    proxy.add_argument("--seed", type=int, help="makes jitter and corruption repeatable")
    proxy.add_argument(
        "faults", nargs="*", default=[], metavar="FAULT=VALUE", help="for both directions"
    )
    arguments = parser.parse_args(argv)
    try:
        server = FaultProxy(arguments.upstream, listen=arguments.listen, seed=arguments.seed)
        server.set(**parse_settings(arguments.faults))
    except ValueError as error:
        parser.error(str(error))
    try:
        asyncio.run(_run(server))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        parser.error(f"cannot listen on {arguments.listen}: {error.strerror}")
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
