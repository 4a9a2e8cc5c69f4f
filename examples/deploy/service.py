"""A service as a supervisor runs it: systemd, Kubernetes, or a shell.

    python examples/deploy/service.py                     listens on 127.0.0.1:4040
    LISTEN=0.0.0.0:4040 python examples/deploy/service.py
    WORKERS=2 ...                                         processes that share the port

Under systemd the socket is opened before the service starts and stays open while it is restarted: who
connects in between waits, and nobody is refused. SIGTERM drains: callers are told to go elsewhere, what
was asked before is answered within the grace, and the process exits with 0.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys

from tchannel import TChannel

log = logging.getLogger("keyvalue")

GRACE = 20.0
FIRST_HANDED_OVER = 3
"""sd_listen_fds(3): the sockets that systemd hands over are the descriptors from 3 on."""


def handed_over() -> socket.socket | None:
    """The socket that systemd has opened for this process, if it has."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=FIRST_HANDED_OVER)


def tell_systemd(state: str) -> None:
    """sd_notify(3): READY=1, STOPPING=1; without a word where nobody listens."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(state.encode(), path.replace("@", "\0", 1) if path[0] == "@" else path)


async def serve(*, shared: bool) -> None:
    sock = handed_over()
    address = os.environ.get("LISTEN", "127.0.0.1:4040")
    channel = TChannel("keyvalue", hostport=None if sock else address, reuse_port=shared)
    values: dict[str, object] = {}

    @channel.json.register("set")
    async def put(request):
        values[request.body["key"]] = request.body["value"]

    @channel.json.register("get")
    async def get(request):
        return {"value": values.get(request.body["key"])}

    channel.listen(sock=sock)
    ending = asyncio.ensure_future(channel.serve_until_signal(grace=GRACE))
    await asyncio.sleep(0)  # from here on SIGTERM drains
    tell_systemd("READY=1")
    log.info("is ready")
    await ending
    tell_systemd("STOPPING=1")
    log.info("has answered all")


def main() -> int:
    # The channel says by itself where it listens, and who connects and leaves.
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(process)d %(message)s")
    workers = int(os.environ.get("WORKERS", "1"))
    if workers == 1:
        asyncio.run(serve(shared=False))
        return 0
    # Each worker listens on the port itself (SO_REUSEPORT): the kernel spreads the connections.
    children = []
    for _ in range(workers):
        child = os.fork()
        if child == 0:
            asyncio.run(serve(shared=True))
            return 0
        children.append(child)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: [os.kill(one, received) for one in children])
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main())
