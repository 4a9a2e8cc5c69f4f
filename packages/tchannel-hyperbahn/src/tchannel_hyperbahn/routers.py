"""The routers that a channel advertises with and calls through."""

from __future__ import annotations

import random
from collections.abc import Iterable
from logging import Logger

from tchannel import TChannel
from tchannel.lowlevel import PeerGroup, logger

from .host_list import HostListFile

__all__ = ["Routers"]

log: Logger = logger("tchannel.hyperbahn")


class Routers:
    """Addresses of routers, known to a channel's peer group and ordered by how they did lately.

    Without any address of its own it takes the peers that the group knows: those of a peer source,
    say.

    Args:
        channel: Its peer group is where the routers are made known, so that calls by service name
            go to them.

    """

    def __init__(self, channel: TChannel) -> None:
        self._channel = channel
        self._given: list[str] = []
        self._file: HostListFile | None = None
        self._from_file: list[str] = []
        self._file_failed = False
        # The one that did best comes first. Shuffled, so that not all clients begin with the same.
        self._order: list[str] = []

    @property
    def _group(self) -> PeerGroup:
        return self._channel.peers  # in a forked child it is another one

    def add(self, hosts: Iterable[str]) -> None:
        """Use these routers from now on, besides those that are known."""
        self._given = list(dict.fromkeys([*self._given, *hosts]))
        self._publish()

    def watch(self, file: HostListFile) -> None:
        """Use the routers in ``file`` from now on, and follow its changes.

        Raises:
            OSError: It cannot be read.
            ValueError: It holds no host list.

        """
        self._from_file = file.read()
        self._file = file
        self._file_failed = False
        self._publish()

    def refresh(self) -> None:
        """Look whether the file has changed; a file with mistakes leaves everything as it was."""
        if self._file is not None:
            try:
                hosts = self._file.read_if_changed()
            except (OSError, ValueError) as error:
                if not self._file_failed:
                    self._file_failed = True
                    log.warning("keeping the routers as they were: %s", error)
            else:
                self._file_failed = False
                if hosts is not None:
                    for gone in set(self._from_file) - set(hosts) - set(self._given):
                        self._group.remove(gone)
                    self._from_file = hosts
        self._publish()

    @property
    def order(self) -> list[str]:
        """All routers, the one to ask first before the others."""
        hosts = dict.fromkeys([*self._given, *self._from_file] or self._group.hosts)
        fresh = [host for host in hosts if host not in self._order]
        random.shuffle(fresh)
        self._order = [host for host in self._order if host in hosts] + fresh
        return list(self._order)

    def demote(self, host: str) -> None:
        """Ask ``host`` last: it failed."""
        if host in self._order:
            self._order.remove(host)
            self._order.append(host)

    def _publish(self) -> None:
        # Again and again: a peer source of the channel may have replaced the group's peers.
        for host in [*self._given, *self._from_file]:
            self._group.add(host)
