"""A network of the test's own: hosts that are network namespaces, on one switch, whose cables can be cut.

A cut is silent, as in a partition: nobody is told, packets vanish. Needs root and Linux.
"""

import itertools
import os
import subprocess
from typing import Self

__all__ = ["Network", "why_not"]

_numbers = itertools.count()


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")


def why_not() -> str | None:
    """Why no network can be made here; None when one can."""
    try:
        with Network(["probe"]):
            return None
    except OSError as error:
        return f"network namespaces cannot be made here: {error}"


class Network:
    """Hosts with these names; `address` of each. Use it as a context manager.

    Args:
        names: of the hosts.

    Raises:
        OSError: (from ``__enter__``) it cannot be made: not root, no `ip`, no namespaces.

    """

    def __init__(self, names: list[str]) -> None:
        # Unlike those of other runs at the same time.
        self._prefix = f"tchannel-{os.getpid()}-{next(_numbers)}"
        self._switch = f"{self._prefix}-switch"
        # 198.18.0.0/15 is for tests of networks (RFC 2544): nobody's own.
        self.address = {name: f"198.18.77.{number}" for number, name in enumerate(names, 1)}

    def __enter__(self) -> Self:
        try:
            _run("ip", "netns", "add", self._switch)
            self._on_the_switch("ip", "link", "add", "switch", "type", "bridge")
            self._on_the_switch("ip", "link", "set", "switch", "up")
            for name, address in self.address.items():
                self._add_host(name, address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _add_host(self, name: str, address: str) -> None:
        _run("ip", "netns", "add", self._namespace(name))
        self._on_the_switch(
            *("ip", "link", "add", name, "type", "veth"),
            *("peer", "name", "eth0", "netns", self._namespace(name)),
        )
        self._on_the_switch("ip", "link", "set", name, "up")
        self.heal(name)
        _run(*self.inside(name), "ip", "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _run(*self.inside(name), "ip", "link", "set", device, "up")

    def __exit__(self, *_: object) -> None:
        for namespace in (*map(self._namespace, self.address), self._switch):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)

    def inside(self, name: str) -> list[str]:
        """What stands before a command that is to run on a host."""
        return ["ip", "netns", "exec", self._namespace(name)]

    def cut(self, name: str) -> None:
        """Take a host's cable out of the switch; its own end does not notice."""
        self._on_the_switch("ip", "link", "set", name, "nomaster")

    def heal(self, name: str) -> None:
        """Put it back."""
        self._on_the_switch("ip", "link", "set", name, "master", "switch")

    def lose(self, name: str, percent: float) -> None:
        """Lose so many of the packets to a host, at random.

        Raises:
            OSError: The kernel cannot: it has no netem.

        """
        self._on_the_switch(
            *("tc", "qdisc", "replace", "dev", name, "root", "netem", "loss", f"{percent}%")
        )

    def _on_the_switch(self, *argv: str) -> None:
        _run("ip", "netns", "exec", self._switch, *argv)

    def _namespace(self, name: str) -> str:
        return f"{self._prefix}-{name}"
