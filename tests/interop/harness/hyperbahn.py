"""A real Hyperbahn cluster on this machine."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

from harness.install import HYPERBAHN
from harness.process import PeerFailure, PeerProcess

SINGLE_EXIT = 1


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on; all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Cluster:
    """One or more Hyperbahn nodes that know each other.

    Each service lives on one node only (``k`` is 1), so that with two nodes calls do cross from the
    node that was called to the node that has the service.

    Args:
        nodes: How many.
        folder: For the nodes' logs.
        ports: The ports to use; free ones by default.

    """

    def __init__(self, nodes: int, folder: Path, ports: "list[int] | None" = None) -> None:
        self.hostports = [f"127.0.0.1:{port}" for port in ports or free_ports(nodes)]
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
        port = hostport.rsplit(":", 1)[1]
        argv = ["node", HYPERBAHN, "--port", port, "--k", str(SINGLE_EXIT)]
        argv += ["--bootstrapFile", json.dumps(self.hostports)]
        log = self._folder / f"hyperbahn-{port}.log"
        process = self.nodes[hostport] = PeerProcess(f"hyperbahn {hostport}", argv, log)
        return process

    def kill(self, hostport: str) -> None:
        """Let a node die without a farewell."""
        self.nodes[hostport].kill()

    def restart(self, hostport: str) -> None:
        """Start a killed node again, on the same address, and wait until it is ready."""
        self._start(hostport).wait_event("ready")

    def stop(self) -> None:
        """End all nodes."""
        for process in self.nodes.values():
            process.stop()
