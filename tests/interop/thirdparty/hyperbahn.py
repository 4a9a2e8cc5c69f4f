"""A real Hyperbahn cluster on this machine."""

import itertools
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from thirdparty.install import HYPERBAHN
from thirdparty.process import PeerFailure, PeerProcess
from thirdparty.tcurl import tcurl

SINGLE_EXIT = 1

# Below the ports that the system gives to those who ask for any: those may be gone before a process
# that is told to listen on one does so, or comes back to it. Processes begin at different places.
PORTS = range(10_000, 30_000)
_numbers = itertools.count(os.getpid() * 61)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on; all different."""
    found: list[int] = []
    for _ in PORTS:
        if len(found) == count:
            break
        port = PORTS[next(_numbers) % len(PORTS)]
        with socket.socket() as one:
            # As listeners do: connections that ended there a minute ago do not matter.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


class Cluster:
    """One or more Hyperbahn nodes that know each other.

    Each service lives on one node only (``k`` is 1), so that with two nodes calls do cross from the
    node that was called to the node that has the service.

    Args:
        nodes: How many.
        folder: For the nodes' logs.
        ports: The ports to use; free ones by default.
        hostports: Where they listen instead, if that is not 127.0.0.1.
        inside: Commands that run a command where a node is to live, by its address.

    """

    def __init__(
        self,
        nodes: int,
        folder: Path,
        ports: "list[int] | None" = None,
        *,
        hostports: "list[str] | None" = None,
        inside: Mapping[str, list[str]] = {},
    ) -> None:
        if hostports is None:
            hostports = [f"127.0.0.1:{port}" for port in ports or free_ports(nodes)]
        self.hostports = hostports
        self._inside = inside
        self._folder = folder
        self.nodes: dict[str, PeerProcess] = {}
        try:
            # The nodes wait for each other, so all must be started before the first can be ready.
            for hostport in self.hostports:
                self._start(hostport)
            for process in self.nodes.values():
                process.wait_event("ready")
        except PeerFailure:
            self.stop()
            raise

    def _start(self, hostport: str) -> PeerProcess:
        host, port = hostport.rsplit(":", 1)
        argv: list[str | Path] = [*self._inside.get(hostport, []), "node", HYPERBAHN]
        argv += ["--host", host, "--port", port, "--k", str(SINGLE_EXIT)]
        argv += ["--bootstrapFile", json.dumps(self.hostports)]
        log = self._folder / f"hyperbahn-{host}-{port}.log"
        process = self.nodes[hostport] = PeerProcess(f"hyperbahn {hostport}", argv, log)
        return process

    def kill(self, hostport: str) -> None:
        """Let a node die without a farewell."""
        self.nodes[hostport].kill()

    def restart(self, hostport: str) -> None:
        """Start a killed node again, on the same address, and wait until it is ready."""
        self._start(hostport).wait_event("ready")

    def ring(self, hostport: str) -> set[str]:
        """The addresses of the nodes that the given node believes in."""
        servers = tcurl(hostport, "ringpop", "/admin/stats", raw=True).output["ring"]["servers"]
        return set(servers)

    def wait_ring(self, seconds: float = 30.0) -> None:
        """Wait until all living nodes believe in exactly the living nodes.

        A node that died stays in the others' ring for some 5 s ("suspect"); as long as it does,
        services whose place in the ring is on it can neither be advertised nor called.
        """
        living = {hostport for hostport, node in self.nodes.items() if node.running}
        end = time.monotonic() + seconds
        while any(self.ring(hostport) != living for hostport in living):
            if time.monotonic() > end:
                raise PeerFailure(f"the Hyperbahn nodes do not agree on {living} in {seconds:g} s")
            time.sleep(0.1)

    def stop(self) -> None:
        """End all nodes."""
        for process in self.nodes.values():
            process.stop()
