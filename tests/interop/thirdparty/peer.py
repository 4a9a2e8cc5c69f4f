"""A third-party implementation as server and client: what a test can ask of it."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thirdparty.install import NODE, PY21
from thirdparty.process import PeerFailure, PeerProcess

PERIOD = 251

#: kind of peer -> the command that starts it
KINDS: dict[str, Sequence[str | Path]] = {
    "node4": ["node", NODE / "peer.js", "--library", "tchannel4"],
    "node3": ["node", NODE / "peer.js", "--library", "tchannel"],
    "py21": [PY21 / ".venv" / "bin" / "python", PY21 / "peer.py"],
}

#: kind of peer -> the version that it must report
VERSIONS = {"node4": "4.0.1", "node3": "3.10.1", "py21": "2.1.0"}


class CallError(Exception):
    """A peer's call failed: an error frame came (``code`` is its code) or none did (``code`` is None)."""

    def __init__(self, code: int | None, name: str, message: str) -> None:
        super().__init__(f"{name} (code {code}): {message}")
        self.code = code
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer got for its call. ``ok`` is false for the response code "error".

    Raw: ``head`` and ``body`` are bytes. JSON: the decoded values. Thrift: the headers and the
    result, or, with ``exception`` naming the field of the result, the declared exception's fields.
    ``checksum`` is the type that came with the response (tchannel-node and raw only).
    """

    ok: bool
    head: Any = None
    body: Any = None
    transport: Mapping[str, str] = field(default_factory=dict)
    exception: str | None = None
    checksum: int | None = None


def pattern(size: int) -> bytes:
    """The bytes that every peer's endpoint ``big`` answers with."""
    return (bytes(range(PERIOD)) * (size // PERIOD + 1))[:size]


class Peer:
    """A running third-party peer. It serves all endpoints of ``peers/README.md`` and makes calls.

    Args:
        kind: ``"node4"``, ``"node3"`` or ``"py21"``.
        service: The name that it serves and the caller name of its own calls.
        log: A file for its standard error.
        listen: Whether it listens on a free port of 127.0.0.1 (``hostport``). A peer that does not
            is a mere client, which still serves calls on the connections that it opens.
        checksum: Checksum type (0 to 3) of its own calls; None is its library's default.

    """

    def __init__(
        self,
        kind: str,
        service: str,
        log: Path,
        *,
        listen: bool = True,
        checksum: int | None = None,
    ) -> None:
        self.kind = kind
        self.service = service
        argv = [*KINDS[kind], "--service", service]
        if listen:
            argv += ["--listen", "0"]
        if checksum is not None:
            argv += ["--checksum", str(checksum)]
        self.process = PeerProcess(f"{kind} {service}", argv, log)
        try:
            ready = self.process.wait_event("ready")
        except PeerFailure:
            self.process.kill()
            raise
        self.hostport: str = ready["hostport"]
        self.version: str = ready["version"]

    def call(
        self, to: "str | Sequence[str]", service: str, endpoint: str, **options: Any
    ) -> Answer:
        """Make a call and wait for its answer (never in a running event loop: see `call_async`).

        Args:
            to: The address to call, or a list of addresses to choose from (with ``retry``).
            service: Name of the service.
            endpoint: arg1; for Thrift ``"KeyValue::getValue"``.
            options: Those of `call_async`.

        Raises:
            CallError: The call failed.
            PeerFailure: The peer died, or was silent for much longer than the time-out.

        """
        seconds = options.get("timeout", 5.0) + 20.0
        return _to_answer(
            self.process.ask("call", seconds, **_command(self, to, service, endpoint, **options)),
            options.get("scheme", "raw"),
        )

    async def call_async(
        self, to: "str | Sequence[str]", service: str, endpoint: str, **options: Any
    ) -> Answer:
        """Like `call`, in a coroutine: the loop goes on, so that it can serve this very call.

        Args:
            to: As in `call`.
            service: As in `call`.
            endpoint: As in `call`.
            options: ``scheme`` ("raw", "json" or "thrift"; raw by default); ``head`` and ``body``
                (bytes for raw, values for the others); ``timeout`` in seconds (5); ``caller`` (the
                peer's own name); ``transport``, more transport headers (``sk`` and ``rd``);
                ``retry``, see `_command`; none by default, which is one attempt.

        """
        future = self.process.send("call", **_command(self, to, service, endpoint, **options))
        return _to_answer(await asyncio.wrap_future(future), options.get("scheme", "raw"))

    def ping(self, to: str) -> None:
        """Ping an address and wait for the answer; PeerFailure when none comes within 10 s."""
        _raise_error(self.process.ask("ping", 10.0, to=[to]))

    async def ping_async(self, to: str) -> None:
        """Like `ping`, in a coroutine, without a limit of its own."""
        _raise_error(await asyncio.wrap_future(self.process.send("ping", to=[to])))

    def seen(self) -> dict[str, int]:
        """How many calls arrived so far, by endpoint (Thrift ones by their function's name)."""
        seen: dict[str, int] = self.process.ask("seen")["seen"]
        return seen

    def connections(self) -> list[dict[str, str]]:
        """The peer's open connections: ``direction`` ("in" or "out") and ``remote`` address."""
        connections: list[dict[str, str]] = self.process.ask("connections")["connections"]
        return connections

    def drop(self) -> None:
        """Destroy all connections of the peer at once; it goes on listening."""
        self.process.ask("drop")

    def advertise(self, routers: Sequence[str]) -> None:
        """Advertise the peer's service with Hyperbahn; returns when the first ad was accepted."""
        self.process.ask("advertise", routers=list(routers))

    def advertise_async(self, routers: Sequence[str]) -> "Future[dict[str, Any]]":
        """Like `advertise`, returning a future, for tests that are the router themselves."""
        return self.process.send("advertise", routers=list(routers))

    def unadvertise(self) -> None:
        """Take the advertisement back (tchannel-node only; tchannel-python never learned it)."""
        self.process.ask("unadvertise")

    def drain(self, reason: str) -> None:
        """Stop taking calls, finish those in flight (tchannel-node only)."""
        self.process.ask("drain", reason=reason)

    def kill(self) -> None:
        """Let the peer die without a farewell (SIGKILL)."""
        self.process.kill()

    def stop(self) -> None:
        """End the peer."""
        self.process.stop()


def _command(
    peer: Peer,
    to: "str | Sequence[str]",
    service: str,
    endpoint: str,
    *,
    scheme: str = "raw",
    head: Any = None,
    body: Any = None,
    timeout: float = 5.0,
    caller: str | None = None,
    transport: Mapping[str, str] | None = None,
    retry: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The command for a call.

    ``retry`` goes to the peer's library as it is: ``{"limit": attempts, "flags": {"never": …,
    "onConnectionError": …, "onTimeout": …}}`` for tchannel-node, ``{"limit": retries, "on": "c"}``
    for tchannel-python.
    """
    if scheme == "raw":
        head = base64.b64encode(head or b"").decode()
        body = base64.b64encode(body or b"").decode()
    elif scheme == "thrift":
        head, body = head or {}, body or {}
    return {
        "to": [to] if isinstance(to, str) else list(to),
        "service": service,
        "endpoint": endpoint,
        "scheme": scheme,
        "head": head,
        "body": body,
        "timeout": round(timeout * 1000),
        "caller": caller or peer.service,
        "transport": dict(transport or {}),
        "retry": dict(retry) if retry is not None else None,
    }


def _raise_error(message: dict[str, Any]) -> None:
    if "error" in message:
        raise CallError(**message["error"])


def _to_answer(message: dict[str, Any], scheme: str) -> Answer:
    _raise_error(message)
    fields = {name: value for name, value in message.items() if name != "id"}
    if scheme == "raw":
        fields["head"] = base64.b64decode(fields["head"])
        fields["body"] = base64.b64decode(fields["body"])
    return Answer(**fields)
