"""What is on the screen: the hosts, and a table of what was chosen, sorted as was chosen."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .._terminal.failures import one_line
from .rows import Host

__all__ = ["VIEWS", "Column", "Screen", "View"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view.

    Attributes:
        title: At its head; the name to sort by.
        of: The attribute of a row that it shows.
        show: How it is shown; None of it is a dash.
        number: Whether it stands to the right, and is sorted with the largest first.

    """

    title: str
    of: str
    show: Callable[[Any], str] = str  # Any: of the type of that attribute
    number: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One of the tables.

    Attributes:
        name: Its name; the key that shows it is its first letter.
        of: The attribute of a host that has its rows.
        columns: Its columns.
        sort: The title of the column that it is sorted by at first.

    """

    name: str
    of: str
    columns: tuple[Column, ...]
    sort: str


def _rate(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or not value else f"{value:.1f}"


def _time(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}s"
    return f"{value:.1f}s" if value >= 1 else f"{value * 1000:.2f}ms"


_NAMES: Final = (Column("way", "way"), Column("service", "service"), Column("endpoint", "endpoint"))
VIEWS: Final[tuple[View, ...]] = (
    View(
        "endpoints",
        "endpoints",
        (
            *_NAMES,
            Column("/s", "rate", _rate, number=True),
            Column("err/s", "errors", _rate, number=True),
            Column("p50", "p50", _time, number=True),
            Column("p99", "p99", _time, number=True),
            Column("now", "in_flight", number=True),
            Column("calls", "calls", number=True),
        ),
        "/s",
    ),
    View(
        "peers",
        "peers",
        (
            Column("peer", "peer"),
            Column("state", "state"),
            Column("conns", "connections", number=True),
            Column("now", "pending", number=True),
            Column("calls", "calls", number=True),
        ),
        "now",
    ),
    View(
        "calls",
        "calls",
        (
            *_NAMES,
            Column("peer", "peer"),
            Column("age", "age", _time, number=True),
            Column("waits for", "waits"),
        ),
        "age",
    ),
)


_LEAST: Final = 8
"""Columns that a name is left with, at least."""


class Screen:
    """What was chosen to be shown.

    Attributes:
        view: The table.
        sort: The title of the column that it is sorted by.
        backwards: Whether the order is turned round.
        paused: Whether nothing new is shown.

    """

    def __init__(self, view: View = VIEWS[0], sort: str | None = None) -> None:
        self.view: View = view
        self.sort: str = view.sort if sort is None else sort
        self.backwards: bool = False
        self.paused: bool = False

    def press(self, key: str) -> bool:
        """Take a key; False when it means to end."""
        if key in {"q", "Q", "\x03", "\x04"}:
            return False
        if key in {" ", "P"}:
            self.paused = not self.paused
        elif key in {"r", "R"}:
            self.backwards = not self.backwards
        elif key in {"s", ">", "S", "<"}:
            titles = [one.title for one in self.view.columns]
            step = 1 if key in {"s", ">"} else -1
            self.sort = titles[(titles.index(self.sort) + step) % len(titles)]
            self.backwards = False
        for view in VIEWS:
            if key == view.name[0] and view is not self.view:
                self.view, self.sort, self.backwards = view, view.sort, False
        return True

    # Any: each view has rows of its own class.
    def rows(self, hosts: Sequence[Host]) -> list[Any]:
        """Return the rows of the view, sorted."""
        column = next(one for one in self.view.columns if one.title == self.sort)
        value = operator.attrgetter(column.of)
        rows = [row for host in hosts for row in getattr(host, self.view.of)]
        # What is not told comes last, whatever the order.
        told = [row for row in rows if value(row) is not None]
        told.sort(key=value, reverse=column.number != self.backwards)
        return told + [row for row in rows if value(row) is None]

    def draw(
        self, hosts: Sequence[Host], most: int | None = None, width: int = 80
    ) -> RenderableType:
        """Return what is on the screen.

        Args:
            hosts: What is known.
            width: Columns of the terminal; default 80.
            most: Lines that there are; None for any number.

        """
        head = Text(no_wrap=True, overflow="ellipsis")
        head.append("tchannel top", style="bold")
        head.append(f"  {self.view.name}, by {self.sort}{' backwards' if self.backwards else ''}")
        if self.paused:
            head.append("  paused", style="bold yellow")
        parts: list[RenderableType] = [head]
        parts += [_host(index, host) for index, host in enumerate(hosts, 1)]
        rows = self.rows(hosts)
        room = len(rows) if most is None else max(0, most - len(parts) - 3)
        parts += [Text(""), self._table(hosts, rows[:room], width)]
        if len(rows) > room:
            parts.append(Text(f"{len(rows) - room} more", style="dim"))
        return Group(*parts)

    def _table(self, hosts: Sequence[Host], rows: Sequence[Any], width: int) -> Table:
        services = {getattr(row, "service", "") for row in rows}
        columns = [one for one in self.view.columns if one.title != "service" or len(services) > 1]
        numbers = {host.hostport: str(index) for index, host in enumerate(hosts, 1)}
        titles = [Text(one.title, style="bold" * (one.title == self.sort)) for one in columns]
        lines = [[_cell(one, getattr(row, one.of)) for one in columns] for row in rows]
        gives_way = [not one.number and one.title != "way" for one in columns]
        justify: list[Literal["left", "right"]] = [
            "right" if one.number else "left" for one in columns
        ]
        if len(hosts) > 1:
            titles.insert(0, Text("#"))
            gives_way.insert(0, False)
            justify.insert(0, "left")
            for row, line in zip(rows, lines, strict=True):
                line.insert(0, Text(numbers[row.host]))
        wanted = [max(map(len, cells)) for cells in zip(titles, *lines, strict=True)]
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="reverse")
        widths = _fit(wanted, gives_way, width - len(wanted))
        for title, side, least in zip(titles, justify, widths, strict=True):
            table.add_column(title, justify=side, no_wrap=True, overflow="ellipsis", width=least)
        for line in lines:
            table.add_row(*line)
        return table


def _fit(wanted: Sequence[int], gives_way: Sequence[bool], room: int) -> list[int]:
    """Widths that fit: names give way where there is no room, the widest first, numbers never."""
    widths = list(wanted)
    names = [place for place, gives in enumerate(gives_way) if gives]
    for _ in range(max(0, sum(widths) - room)):
        widest = max(names, key=widths.__getitem__)
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return widths


def _cell(column: Column, value: Any) -> Text:
    return Text("-" if value is None else one_line(column.show(value)))


def _host(index: int, host: Host) -> Text:
    line = Text(f"{index} {host.hostport}  ", no_wrap=True, overflow="ellipsis")
    if host.problem:
        style = "bold red" if host.down else "yellow"
        return line.append(f"{'DOWN: ' if host.down else ''}{one_line(host.problem)}", style=style)
    told = [one_line(host.service) or "?", one_line(host.state)]
    told += [f"{host.connections} conns"] if host.connections is not None else []
    told += [f"{host.in_flight} calls now"] if host.in_flight is not None else []
    rates = {way: _sum(host, way, "rate") for way in ("in", "out")}
    told += [f"{way} {_rate(rate)}/s" for way, rate in rates.items() if rate is not None]
    told += [f"lag {_time(host.lag)}"] if host.lag is not None else []
    return line.append("  ".join(one for one in told if one))


def _sum(host: Host, way: str, of: str) -> float | None:
    values = [getattr(row, of) for row in host.endpoints if row.way == way]
    told = [value for value in values if value is not None]
    return sum(told) if told else None
