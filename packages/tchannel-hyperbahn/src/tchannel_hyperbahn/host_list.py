"""Files with lists of addresses, written as Hyperbahn's host lists: a JSON array of ``"host:port"``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from tchannel.lowlevel import UNIX_PREFIX, parse_hostport

__all__ = ["HostListFile", "check_hosts", "parse_hosts"]


def check_hosts(hosts: Iterable[object], what: str) -> list[str]:
    """Return ``hosts`` as a list, each once, if all of them are addresses to connect to.

    Args:
        hosts: ``"host:port"`` each.
        what: What they are, for the error.

    Raises:
        TypeError: A str instead of a list, or an entry that is no str.
        ValueError: An entry that is no address or has port 0, or no entry at all.

    """
    if isinstance(hosts, str | bytes) or not isinstance(hosts, Iterable):
        raise TypeError(f"{what} must be a list of 'host:port', not {hosts!r}")
    checked: dict[str, None] = {}
    for host in hosts:
        if not isinstance(host, str):
            raise TypeError(f"{what} must be a list of 'host:port', but holds {host!r}")
        try:
            _, port = parse_hostport(host)
        except ValueError as error:
            raise ValueError(f"{what}: {error}") from None
        if port == 0 and not host.startswith(UNIX_PREFIX):
            raise ValueError(f"{what}: nobody listens on port 0, as in {host!r}")
        checked[host] = None
    if not checked:
        raise ValueError(f"{what} must not be empty")
    return list(checked)


def parse_hosts(text: str, what: str) -> list[str]:
    """Return the addresses in a JSON array.

    Raises:
        ValueError: It is no JSON, no array, is empty, or holds something that is no address.

    """
    try:
        hosts = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{what} is no JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{what} is no JSON array of 'host:port': nested too deeply") from None
    if not isinstance(hosts, list):
        raise ValueError(f"{what} must hold a JSON array of 'host:port', not {_short(hosts)}")
    try:
        return check_hosts(hosts, what)
    except TypeError as error:
        raise ValueError(str(error)) from None


class HostListFile:
    """A host list on disk, read again when it has changed.

    Args:
        path: The file.

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        self._seen: tuple[int, int, int] | None = None

    def __str__(self) -> str:
        return str(self.path)

    def read(self) -> list[str]:
        """Return its addresses.

        Raises:
            OSError: It cannot be read; the error names the file.
            ValueError: It holds no host list; the error names the file.

        """
        # Before reading: a change in between is then seen the next time.
        self._seen = None
        seen = self._stamp()
        try:
            text = self.path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{self.path} is not UTF-8") from None
        hosts = parse_hosts(text, str(self.path))
        self._seen = seen
        return hosts

    def read_if_changed(self) -> list[str] | None:
        """Return its addresses, or None if it is as it was when it was last read without a mistake.

        Raises:
            OSError: As `read`.
            ValueError: As `read`.

        """
        if self._seen is not None and self._stamp() == self._seen:
            return None
        return self.read()

    def _stamp(self) -> tuple[int, int, int]:
        # The inode too: a file that is replaced within one tick of the clock may have the same size.
        status = self.path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
