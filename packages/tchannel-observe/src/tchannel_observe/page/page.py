"""The page as a service has it: which channels it shows, when it looks at them, where it is served."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from tchannel import TChannel
from tchannel.clock import Clock, LoopClock, TimerHandle
from tchannel.lowlevel import live_channels, logger, loop_of, shown
from tchannel.stats import Snapshot

from .findings import GOOD, WARN, Finding, findings_of
from .history import History
from .view import view_of
from .viewers import Stream, Viewer, Viewers
from .web import MAX_REQUEST, HTTPServer, application, listening_socket, routes

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from prometheus_client import CollectorRegistry

__all__ = ["Page"]

log: Final = logger("tchannel.observe")

MOST_CHANNELS: Final = 32
"""Channels that the page shows; a process has a few."""

MOST_ROWS: Final = 1_000
"""Rows of a part of ``stats.json``, however many are asked for."""

MOST_BYTES: Final = 100_000
"""Of a view that is sent to who watches."""

_VERSION: Final = platform.python_version()


class _Seen:
    """A channel that is looked at."""

    __slots__ = ("channel", "history", "key", "problems", "snapshot")

    def __init__(self, channel: TChannel, key: str, history: History) -> None:
        self.channel: TChannel = channel
        self.key: str = key
        self.history: History = history
        self.snapshot: Snapshot | None = None
        self.problems: int = 0


class Page:
    """A live page of what the channels of this process do, and the same as JSON.

    ::

        page = Page(channel)
        page.listen(9090)           # http://127.0.0.1:9090/
        ...
        await page.close()

    Beside the page, which is at ``/``, there are ``/stats.json`` (the same; ``?channel=`` chooses a
    channel, ``?rows=`` up to 1,000 rows of each part), ``/livez``, ``/readyz`` (503 while a channel
    drains) and ``/metrics`` (Prometheus; needs the extra ``prometheus``).

    Args:
        *channels: What to show. By default all channels of the running loop, whenever they are made.
        period: Seconds between two looks, and between two views that are sent to who watches; default 2.
        minutes: How far back the charts go; default 5. A point for each look is kept.
        rows: Rows of each part of the page: connections, peers, calls; default 50. The totals stand
            beside them.
        viewers: How many may watch at once; a further one is refused with 503. Default 16.
        hosts: Names by which the page is reached, besides ``localhost`` and addresses, for the Host of
            requests. An answer to any name would be readable by every site that its user visits.
        registry: What ``/metrics`` shows; by default the metrics of these channels.
        clock: Time and timers; by default those of the running loop.

    Attributes:
        hosts: Names that the page answers to.

    Raises:
        TypeError: An argument of a wrong type.
        ValueError: An argument with a wrong value.

    """

    def __init__(
        self,
        *channels: TChannel,
        period: float = 2.0,
        minutes: float = 5.0,
        rows: int = 50,
        viewers: int = 16,
        hosts: Iterable[str] = (),
        registry: CollectorRegistry | None = None,
        clock: Clock | None = None,
    ) -> None:
        for channel in channels:
            if not isinstance(channel, TChannel):
                raise TypeError(f"channels must be of type TChannel, not {channel!r}")
        if isinstance(hosts, str):
            raise TypeError(f"hosts must be a list of names, not the str {hosts!r}")
        self.period: float = _between("period", period, 0.1, 60.0)
        self.minutes: float = _between("minutes", minutes, 1.0, 60.0)
        self.rows: int = int(_between("rows", rows, 1, MOST_ROWS))
        self.viewers: Viewers = Viewers(int(_between("viewers", viewers, 1, 1_000)))
        self.hosts: set[str] = {name.lower().rstrip(".") for name in hosts}
        self._channels = channels
        self._registry = registry
        self._given_clock = clock
        self._clock: Clock | None = None
        self._timer: TimerHandle | None = None
        self._keys: WeakKeyDictionary[TChannel, str] = WeakKeyDictionary()
        self._seen: dict[str, _Seen] = {}
        self._server: HTTPServer | None = None
        self._address: tuple[str, int] | None = None
        self._closed = False

    # -- where it is served -------------------------------------------------------------------

    @property
    def url(self) -> str | None:
        """Where `listen` serves it; None before."""
        if self._address is None:
            return None
        host, port = self._address
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    @property
    def port(self) -> int | None:
        """The port that `listen` serves it on; None before."""
        return None if self._address is None else self._address[1]

    def listen(self, port: int = 0, address: str = "127.0.0.1") -> None:
        """Serve the page on a port of its own, in the running loop, and begin to look.

        Whoever reaches the port sees what the page shows: there is no password. Beyond this machine,
        let a proxy ask for one.

        Args:
            port: 0, the default, for any that is free; `url` says which.
            address: Of the interface; by default only this machine reaches it. Every interface is
                ``"0.0.0.0"`` or ``"::"``.

        Raises:
            OSError: The port is in use, or the address is none of this machine.
            RuntimeError: It listens already, is closed, or no loop runs.
            TypeError: An argument of a wrong type.
            ValueError: The port is that of a channel, or no port; or the address is empty.

        """
        if isinstance(port, bool) or not isinstance(port, int):
            raise TypeError(f"port must be an int, not {port!r}")
        if not isinstance(address, str):
            raise TypeError(f"address must be a str, not {address!r}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        if not address:
            raise ValueError("address must not be empty: '0.0.0.0' is every interface")
        if self._server is not None:
            raise RuntimeError(f"the page is served at {self.url} already")
        for channel in self.channels():
            if port and channel.is_listening() and _port_of(channel) == port:
                raise ValueError(
                    f"port {port} is that of the channel {channel.name}: the page needs one of its own"
                )
        self.start()
        listening = listening_socket(port, address)
        server = HTTPServer(
            application(self),
            max_header_size=MAX_REQUEST,
            max_body_size=1,
            idle_connection_timeout=60.0,
            body_timeout=5.0,
        )
        server.add_socket(listening)
        self._server = server
        self._address = listening.getsockname()[:2]
        self.hosts.add(address.lower())
        log.info("page at %s", self.url)

    # Any: as Tornado types the rules of an application.
    def routes(self, prefix: str = "") -> list[Any]:
        r"""Return the handlers of the page for an application of Tornado that is there already.

        ::

            app = tornado.web.Application([*own_routes, *page.routes("/tchannel")])

        Looking begins now if a loop runs, or else with the first request.

        Args:
            prefix: The path below which the page is, without a slash at its end.

        Returns:
            Rules, as ``tornado.web.Application`` takes them.

        Raises:
            ValueError: ``prefix`` does not begin with a slash, or ends with one.

        """
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise ValueError(f"prefix must be like '/tchannel', not {prefix!r}")
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            self.start()
        return routes(self, prefix)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def start(self) -> None:
        """Begin to look at the channels every `period` seconds; harmless when it has begun.

        Raises:
            RuntimeError: The page is closed, or no loop runs.

        """
        if self._closed:
            raise RuntimeError("the page is closed")
        loop = asyncio.get_running_loop()
        if self._clock is None:
            self._clock = self._given_clock or LoopClock(loop)
            self._look()

    async def close(self) -> None:
        """Stop looking, and serving; harmless when that is done."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.viewers.end()
        self._seen.clear()
        server, self._server = self._server, None
        if server is not None:
            server.stop()
            await server.close_all_connections()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # -- looking ------------------------------------------------------------------------------

    def channels(self) -> list[TChannel]:
        """Return the channels that the page shows, 32 at most.

        Those given, or else those of this loop that are not closed.
        """
        return self._all_channels()[:MOST_CHANNELS]

    def _all_channels(self) -> list[TChannel]:
        if self._channels:
            return list(self._channels)
        here = asyncio.get_running_loop()
        found = [
            channel
            for channel in live_channels()
            if loop_of(channel) in (None, here) and not _is_over(channel)
        ]
        return sorted(found, key=self._key_of)

    def _key_of(self, channel: TChannel) -> str:
        key = self._keys.get(channel)
        if key is None:
            taken = set(self._keys.values())
            key = channel.name
            number = 1
            while key in taken:
                number += 1
                key = f"{channel.name} ({number})"
            self._keys[channel] = key
        return key

    def _look(self) -> None:
        """Look at all channels, each in a turn of the loop of its own, and again after the period."""
        clock = self._clock
        if self._closed or clock is None:
            return
        loop = asyncio.get_running_loop()
        channels = {self._key_of(channel): channel for channel in self.channels()}
        for key in [key for key in self._seen if key not in channels]:
            del self._seen[key]
        for key, channel in channels.items():
            if key not in self._seen:
                self._seen[key] = _Seen(channel, key, History(self.period, self.minutes))
            loop.call_soon(self._look_at, key)
        loop.call_soon(self._show)
        self._timer = clock.call_at(clock.time() + self.period, self._look)

    def _look_at(self, key: str) -> None:
        seen = self._seen.get(key)
        if seen is None:
            return
        # While nobody watches, the counts are enough for the charts.
        watched = len(self.viewers) > 0
        seen.snapshot = snapshot = seen.channel.stats(self.rows if watched else 0)
        seen.history.look(snapshot)
        if watched:
            found = findings_of(snapshot, seen.history)
            seen.problems = sum(each.level != GOOD for each in found)

    def _show(self) -> None:
        if self._clock is None:
            return
        for key in sorted(self.viewers.keys()):
            asyncio.get_running_loop().call_soon(self._show_to_those_of, key, self._clock.time())

    def _show_to_those_of(self, key: str, now: float) -> None:
        self.viewers.show(key, lambda: self._event(key, fresh=False), now)

    def _event(self, key: str, *, fresh: bool) -> bytes:
        """Return a view as a server-sent event, of fewer rows where their names are long."""
        rows = self.rows
        while True:
            # What peers said is printable by now, and so without line ends and halves of pairs.
            text = json.dumps(
                self.view(key, rows, fresh=fresh), ensure_ascii=False, separators=(",", ":")
            )
            data = f"event: view\ndata: {text}\n\n".encode()
            if len(data) <= MOST_BYTES or rows <= 1:
                return data
            rows //= 2
            fresh = False

    # -- what it shows ------------------------------------------------------------------------

    def watch(self, stream: Stream, key: str) -> Viewer:
        """Send views of that channel from now on, the first at once."""
        self.start()
        viewer = self.viewers.add(stream, key)
        now = self._clock.time() if self._clock is not None else 0.0
        viewer.offer(self._event(key, fresh=True), now)
        return viewer

    # Any: as the json module takes it, for who looks into it.
    def view(self, key: str = "", rows: int | None = None, *, fresh: bool = True) -> dict[str, Any]:
        """Return what the page shows, as what JSON takes.

        Args:
            key: Of the channel: its name, with a number behind it where several have the same; "" is
                the first one.
            rows: Of each part; default those of the page, at most 1,000.
            fresh: Whether to look at the channel now instead of showing the last look.

        Returns:
            ``process``, ``channels`` (in short), ``channels_total`` and ``channel``: the one that was
            asked for, or None if there is none; then ``findings`` says so.

        """
        rows = self.rows if rows is None else min(rows, MOST_ROWS)
        everything = self._all_channels()
        channels = everything[:MOST_CHANNELS]
        listed = [self._in_short(channel) for channel in channels]
        wanted = [one for one in channels if self._key_of(one) == key] if key else channels[:1]
        view: dict[str, Any] = {
            "at": round(time.time(), 3),
            "period": self.period,
            "process": {
                "name": shown(os.path.basename(sys.argv[0]) or "python"),
                "pid": os.getpid(),
                "python": _VERSION,
            },
            "channels": listed,
            "channels_total": len(everything),
            "channel": None,
        }
        if wanted:
            seen = self._seen_of(wanted[0])
            if fresh or seen.snapshot is None:
                snapshot = wanted[0].stats(rows)
                if seen.snapshot is None:
                    seen.history.look(snapshot)
                seen.snapshot = snapshot
            shows = view_of(seen.snapshot, seen.history, wanted[0].options, rows)
            view["channel"] = {"key": seen.key, **shows}
        else:
            text = "There is no such channel." if key else "There is no channel."
            view["findings"] = [asdict(Finding("nothing", WARN, text))]
        return view

    def _seen_of(self, channel: TChannel) -> _Seen:
        key = self._key_of(channel)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(channel, key, History(self.period, self.minutes))
        return seen

    def _in_short(self, channel: TChannel) -> dict[str, object]:
        key = self._key_of(channel)
        seen = self._seen.get(key)
        return {
            "key": key,
            "label": shown(key),
            "state": channel.state.text,
            "problems": 0 if seen is None else seen.problems,
        }

    def unready(self) -> str:
        """Return why no calls should be sent here; "" if they may."""
        channels = self.channels()
        if not channels:
            return "there is no channel"
        for channel in channels:
            if channel.is_closed():
                return f"{shown(channel.name)} is {channel.state.text}"
        return ""

    def metrics(self, accept: str) -> tuple[bytes, str] | None:
        """Return the metrics in the format asked for, and its name; None without prometheus-client."""
        try:
            from prometheus_client import CollectorRegistry
            from prometheus_client.exposition import choose_encoder
        except ModuleNotFoundError:
            return None
        source = self._registry
        if source is None:
            from ..prometheus import ChannelCollector

            collector = ChannelCollector()
            for channel in self.channels():
                collector.add(channel, self._key_of(channel))
            source = CollectorRegistry()
            source.register(collector)
        encode, kind = choose_encoder(accept)
        return encode(source), kind


def _is_over(channel: TChannel) -> bool:
    return channel.state.text == "closed"


def _port_of(channel: TChannel) -> int | None:
    try:
        return channel.port
    except ValueError:  # a Unix socket has none
        return None


def _between(name: str, value: float, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least:g} to {most:g}, not {value!r}")
    return value
