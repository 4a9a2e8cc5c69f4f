"""What is asked of the kernel for each connection, and whose its socket is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..options import Options

__all__ = ["handed_over", "keep_alive", "send_at_once"]

# In seconds and in times: how the kernel goes on once a connection was idle for the first while.
_PROBE_EVERY = 10
_PROBES = 6


def keep_alive(sock: socket.socket | None, options: Options) -> None:
    """Let the kernel end a TCP connection whose other side has vanished.

    It probes one that is idle, and gives up on bytes that nobody acknowledges: after a minute in each
    case, by default, instead of never, and a quarter of an hour. A peer that has its window closed for
    that long takes nothing, which ``options.stall_timeout`` bounds as well.
    """
    if not options.keepalive or sock is None or sock.family not in _TCP:
        return
    with contextlib.suppress(OSError):  # its peer may be gone already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", min(options.keepalive_idle, _LONGEST_IDLE)),
            ("TCP_KEEPINTVL", _PROBE_EVERY),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", min(options.stall_timeout, _LONGEST_IDLE) * 1000),
        ):
            option = getattr(socket, name, None)  # Linux has them all
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, max(1, int(value)))


_TCP = frozenset({socket.AF_INET, socket.AF_INET6})
_LONGEST_IDLE = 32_767  # in seconds, as Linux takes it


def send_at_once(sock: socket.socket) -> None:
    """Let small frames leave a TCP socket without waiting for the peer to acknowledge earlier ones.

    asyncio does so on sockets that it makes itself, and not on those that are accepted: without it an
    answer that follows another waits for the peer's delayed acknowledgement, 40 ms on Linux.
    """
    if sock.family in {socket.AF_INET, socket.AF_INET6}:
        with contextlib.suppress(OSError):  # its peer may be gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def handed_over(sock: socket.socket) -> None:
    """Let go of a socket that the running loop has made a transport of.

    uvloop closes the descriptor itself, and forgets the socket object when the transport ends while it
    is being made: collected later, that object would close a descriptor that is somebody else's by then.
    asyncio's own loops keep using the object.
    """
    if not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        sock.detach()
