"""How a channel makes calls."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING, Any

import tchannel_wire as wire

from .. import errors
from .._ground.addresses import check_hostport
from .._ground.current import current_call, saying_farewell
from .._ground.text import check_text
from .._ground.timeouts import Timeout, seconds
from ..interceptors import process_wide
from .early import begin_with_loop
from .intercepted import intercept_call
from .outgoing import Decode, OutgoingCall
from .pending import PendingCall
from .spans import Trace, check_trace, pack_tracing, random_bits

if TYPE_CHECKING:
    from .._life.states import ChannelState
    from .._links.connection import Connection
    from .._links.peer_table import PeerTable
    from .._links.timers import Timers
    from .._serving.incoming import IncomingRequest
    from .._sight.counting import Counts
    from .._sight.recent import Recent
    from ..channel import TChannel
    from ..event import EventEmitter
    from ..interceptors import Interceptors
    from ..options import Options
    from .retries import RetryBudget
    from .waiting import Wait

__all__ = ["Calling"]

_RETRY_ON = frozenset({"c", "n", "t", "ct", "tc"})

# Beyond this many different calls the encoded ones are forgotten: shard keys have no end.
_MAX_PREPARED = 2_000


class Calling:
    """The part of a channel that makes calls."""

    public: TChannel
    name: str
    options: Options
    trace: Trace
    interceptors: Interceptors
    events: EventEmitter
    peers_table: PeerTable
    timers: Timers
    loop: asyncio.AbstractEventLoop
    state: ChannelState
    connections: set[Connection]
    counts: Counts
    recent: Recent
    retry_budget: RetryBudget
    waiting: dict[Wait, None]
    use_loop: Callable[[], asyncio.AbstractEventLoop | None]
    notify: Callable[[], None]
    has_running_source: Callable[[], bool]

    _prepared: dict[tuple[object, ...], wire.PreparedCall]

    # Positional all through: keywords for 18 arguments cost 0.4 µs.
    def start_call(
        self,
        scheme: str,
        service: str,
        endpoint: str,
        arg2: bytes,
        arg3: bytes | AsyncIterable[bytes],
        decode: Decode,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        routing_delegate: str | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        tracing_span: wire.Tracing | None = None,
        trace: Trace | None = None,
        caller_name: str | None = None,
        deadline: Timeout = None,
        stream: bool = False,
        routing_key: str | None = None,
    ) -> PendingCall[Any]:
        """Start a call: what the arg schemes call.

        Args:
            decode: Makes the result of the Future of ``code, arg2, arg3, transport headers``.

        The other arguments are those of `TChannel.call`, with arg2 and arg3 as bytes (arg3 may be an
        async iterator of bytes).

        """
        loop = self.loop
        try:
            running = get_running_loop() is loop
        except RuntimeError:
            running = False
        if not running:
            running = self.use_loop() is not None
            loop = self.loop
        if retry_on is None:
            retry_on = "c"
        key = (
            scheme,
            service,
            endpoint,
            caller_name,
            retry_on,
            shard_key,
            routing_delegate,
            routing_key,
        )
        try:
            prepared = self._prepared.get(key)
        except TypeError:  # what cannot be a key cannot be a name: `_prepare` says which
            prepared = None
        if prepared is None:
            prepared = self._prepare(key)
        options = self.options
        timeout = (
            options.default_timeout
            if timeout is None
            else seconds(timeout, options.default_timeout)
        )
        if retry_limit is not None:
            _check_retry_limit(retry_limit)
        ends: float | None = None
        if deadline is not None:
            ends = self._end_of_call(deadline)
        parent: IncomingRequest | wire.Tracing | None = tracing_span
        inbound = current_call.get()
        if inbound is not None:
            if parent is None:
                parent = inbound
            # A call never outlives the one that it is made for.
            if not inbound.answered and (ends is None or inbound.deadline < ends):
                ends = inbound.deadline
        if self.state.ends:
            self._check_open(inbound)
        if trace is None:
            trace = self.trace
        elif trace is not True and trace is not False:
            check_trace(trace)
        if hostport is not None and (
            type(hostport) is not str or hostport not in self.peers_table.peers
        ):
            check_hostport(hostport)

        # Set from here rather than by an __init__ of 20 arguments: 0.2 µs less.
        call = OutgoingCall(loop=loop)
        call.channel = self
        call.prepared = prepared
        call.arg2 = arg2
        call.arg3 = arg3
        call.decode = decode
        call.timeout = timeout
        call.deadline = ends
        call.retry_on = retry_on
        call.retry_limit = retry_limit
        call.hostport = hostport
        call.stream = stream
        call.attempts = 0
        self.retry_budget.calls += 1
        call.proceeded = False
        call.request = None
        call.tried = ()
        call.peer = call.connection = call.exchange = call.streamed = None
        call.waits = call.pump = call.delivered_to = None
        call.pending = None
        if parent is None and (trace is False or trace is True):
            # The usual case by itself: a trace of its own, 0.15 µs less.
            span = random_bits(64)
            call.tracing = pack_tracing(span, 0, span, trace)
        else:
            call.make_tracing(trace, parent)
        if self.interceptors.outgoing or process_wide.outgoing:
            return intercept_call(call)
        if running:
            call.begin()
        else:
            begin_with_loop(loop, call)
        return call  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # `CallHabits`

    def _end_of_call(self, deadline: Timeout) -> float | None:
        within = seconds(deadline, 0.0, "deadline")
        # 0 means the default, as for every timeout, and that is none.
        return self.timers.time() + within if within else None

    def _prepare(self, key: tuple[Any, ...]) -> wire.PreparedCall:
        scheme, service, endpoint, caller_name, retry_on, shard_key, *others = key
        routing_delegate, routing_key = others
        if service is None or service == "":
            raise errors.ServiceNameIsRequiredError("service must not be empty")
        for argument, value, most in (
            ("service", service, 255),
            ("endpoint", endpoint, wire.MAX_ARG1),
            ("scheme", scheme, 255),
            ("caller_name", caller_name, 255),
            ("shard_key", shard_key, 255),
            ("routing_delegate", routing_delegate, 255),
            ("routing_key", routing_key, 255),
        ):
            if value is not None or argument in {"endpoint", "scheme"}:
                check_text(value, argument, most)
        if not endpoint:
            raise ValueError("endpoint must not be empty")
        if not scheme:
            raise ValueError("scheme must not be empty")
        if not isinstance(retry_on, str):
            raise TypeError(f"retry_on must be a str, not {retry_on!r}")
        if retry_on not in _RETRY_ON:
            raise ValueError(f"retry_on must be one of 'c', 'n', 't' and 'ct', not {retry_on!r}")
        headers = {
            wire.ARG_SCHEME: scheme,
            wire.CALLER_NAME: caller_name or self.name,
            wire.RETRY_FLAGS: retry_on,
        }
        optional = {
            wire.SHARD_KEY: shard_key,
            wire.ROUTING_DELEGATE: routing_delegate,
            wire.ROUTING_KEY: routing_key,
        }
        headers.update({header: value for header, value in optional.items() if value is not None})
        prepared = wire.prepare_call(service, headers, endpoint.encode(), self.options.checksum)
        self.counts.row_of(prepared)
        return self._remember(key, prepared)

    def _remember(self, key: tuple[object, ...], prepared: wire.PreparedCall) -> wire.PreparedCall:
        if len(self._prepared) >= _MAX_PREPARED:
            self._prepared.clear()
        self._prepared[key] = prepared
        self.retry_budget.look(self.timers.time())
        return prepared

    def _check_open(self, inbound: IncomingRequest | None) -> None:
        """Refuse new calls while closing; a handler that finishes may still make its own."""
        if saying_farewell.get():
            return
        if not self.state.serves or inbound is None or inbound.answered:
            raise RuntimeError(f"channel {self.name} is closed")


def _check_retry_limit(retry_limit: int) -> None:
    if isinstance(retry_limit, bool) or not isinstance(retry_limit, int):
        raise TypeError(f"retry_limit must be an int, not {retry_limit!r}")
    if retry_limit < 0:
        raise ValueError(f"retry_limit must not be negative, got {retry_limit}")
