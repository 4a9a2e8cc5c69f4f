"""Snapshots as a channel gives them, made by hand; a page of a channel; and a browser."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tchannel import TChannel
from tchannel.stats import (
    CallInFlight,
    CallStats,
    ConnectionStats,
    EndedCall,
    Histogram,
    LoopLag,
    PeerStats,
    Snapshot,
)
from tchannel_observe.page import Page


class Made:
    """Makes the parts of a snapshot; what is not said is unremarkable."""

    @staticmethod
    def calls(
        direction: str = "incoming",
        endpoint: str = "place",
        *,
        service: str = "orders",
        caller: str = "web",
        took: list[float] | None = None,
        retries: int = 0,
        **outcomes: int,
    ) -> CallStats:
        return CallStats(
            direction,
            service,
            endpoint,
            caller,
            outcomes={name.replace("_", "-"): count for name, count in outcomes.items()},
            latency=Histogram.of(took or []),
            retries=retries,
        )

    @staticmethod
    def peer(hostport: str = "10.0.0.1:4040", **changes: Any) -> PeerStats:
        values: dict[str, Any] = {
            "known": True,
            "state": "connected",
            "connections": 1,
            "pending": 0,
            "waiting": 0,
            "chosen": 10,
            "score": 0,
            "penalty": 0.0,
            "penalised_for": 0.0,
            "misfit": "",
        }
        return PeerStats(hostport, **{**values, **changes})

    @staticmethod
    def connection(address: str = "10.0.0.9:40001", **changes: Any) -> ConnectionStats:
        values: dict[str, Any] = {
            "direction": "incoming",
            "announced": None,
            "process_name": "web[1]",
            "state": "open",
            "tls": False,
            "age": 10.0,
            "idle": 1.0,
            "bytes_received": 1000,
            "bytes_sent": 2000,
            "calls_received": 3,
            "calls_sent": 0,
            "pending_received": 1,
            "pending_sent": 0,
            "unsent": 0,
            "congested_for": 0.0,
        }
        return ConnectionStats(address=address, **{**values, **changes})

    @staticmethod
    def in_flight(**changes: Any) -> CallInFlight:
        values: dict[str, Any] = {
            "direction": "incoming",
            "service": "orders",
            "endpoint": "place",
            "caller": "web",
            "peer": "10.0.0.9:40001",
            "id": 7,
            "age": 1.0,
            "deadline_left": 29.0,
            "waits": "",
            "attempts": 1,
            "trace_id": "00000000000000aa",
        }
        return CallInFlight(**{**values, **changes})

    @staticmethod
    def ended(**changes: Any) -> EndedCall:
        values: dict[str, Any] = {
            "direction": "incoming",
            "service": "orders",
            "endpoint": "place",
            "caller": "web",
            "peer": "10.0.0.9:40001",
            "ended_at": 999.0,
            "seconds": 2.0,
            "outcome": "unexpected-error",
            "error": "KeyError: 'x'",
            "attempts": 1,
            "trace_id": "00000000000000aa",
        }
        return EndedCall(**{**values, **changes})

    @staticmethod
    def snapshot(seconds: float = 100.0, **changes: Any) -> Snapshot:
        values: dict[str, Any] = {
            "service": "orders",
            "process_name": "orders[1]",
            "hostport": "10.0.0.7:4040",
            "state": "open",
            "pid": 1,
            "version": "0.1.0",
            "python": "3.11.7",
            "taken_at": 1000.0,
            "seconds": seconds,
            "incoming": [],
            "outgoing": [],
            "in_flight": [],
            "incoming_in_flight": 0,
            "outgoing_in_flight": 0,
            "failed": [],
            "slow": [],
            "connections": [],
            "connections_open": {"incoming": 0, "outgoing": 0},
            "connections_made": {"incoming": 0, "outgoing": 0},
            "handshakes_failed": {"incoming": 0, "outgoing": 0},
            "peers": [],
            "peers_total": 0,
            "limits": [],
            "bytes_received": 0,
            "bytes_sent": 0,
            "limits_reached": {},
            "loop_lag": LoopLag(),
        }
        return Snapshot(**{**values, **changes})


@pytest.fixture(scope="session")
def made() -> type[Made]:
    """What makes the parts of a snapshot."""
    return Made


@pytest.fixture
async def server() -> AsyncIterator[TChannel]:
    """A listening channel for the service "orders", with an endpoint that waits and others."""
    async with TChannel("orders", hostport="127.0.0.1:0") as channel:

        @channel.json.register
        async def place(request: Any) -> Any:
            return request.body

        @channel.json.register
        async def wait(request: Any) -> None:
            await asyncio.sleep(60)

        @channel.json.register
        async def fail(request: Any) -> None:
            raise KeyError(request.body)

        channel.listen()
        yield channel


@pytest.fixture(scope="session")
def skip_here() -> Callable[[str], None]:
    """A function to say that something is missing here; the continuous integration fails instead."""

    def decide(reason: str) -> None:
        if os.environ.get("CI", "") not in {"", "0", "false"}:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return decide


@pytest.fixture(scope="session")
def chromium(skip_here: Callable[[str], None]) -> str:
    """Where Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    skip_here("there is no Chromium (on Debian: apt-get install chromium)")
    raise AssertionError


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: str


async def _fetch(page: Page, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    assert page.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    try:
        names = {"Host": f"127.0.0.1:{page.port}", "Connection": "close"}
        names.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [f"{name}: {value}" for name, value in names.items() if value]
        writer.write("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode())
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    first, *rest = head.decode().split("\r\n")
    found = dict(line.split(": ", 1) for line in rest)
    return Answer(int(first.split(" ")[1]), found, body.decode())


@pytest.fixture(scope="session")
def fetch() -> Callable[..., Any]:
    """A function that asks a page: ``fetch(page, path, method, Host=...)``; "" leaves a header out."""
    return _fetch


class Events:
    """A stream of events that is open, read only when a test reads it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def next(self) -> dict[str, Any]:
        """Return the next view."""
        while True:
            line = await self.reader.readline()
            if not line:
                raise EOFError("the stream has ended")
            if line.startswith(b"data: "):
                view: dict[str, Any] = json.loads(line[6:])
                return view


@pytest.fixture
async def events() -> AsyncIterator[Callable[..., Any]]:
    """A function that opens the stream of events of a page."""
    opened: list[asyncio.StreamWriter] = []

    async def open_stream(page: Page, query: str = "", limit: int = 2**20) -> Events:
        reader, writer = await asyncio.open_connection("127.0.0.1", page.port, limit=limit)
        opened.append(writer)
        writer.write(f"GET /events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return Events(reader, writer)

    yield open_stream
    for writer in opened:
        writer.close()
        try:
            await writer.wait_closed()
        except ConnectionError:
            pass


@pytest.fixture
async def page(server: TChannel) -> AsyncIterator[Page]:
    """A page of the server, on a port of its own, that looks ten times a second."""
    async with Page(server, period=0.1) as page:
        page.listen()
        yield page
