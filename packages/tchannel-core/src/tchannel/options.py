"""The limits and defaults of a channel, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any, Final, Literal, TypeVar

from tchannel_wire import ChecksumType
from tchannel_wire import Options as WireOptions

from .glossary import DEFAULT_TIMEOUT

__all__ = ["AdaptiveConcurrency", "Options"]

_META_ENDPOINTS: Final = ("health", "versionInfo", "thriftIDL")

_Number = TypeVar("_Number", int, float)

_KIB = 1024
_MIB = 1024 * 1024

SMALL: Final = 1024
"""Bytes up to which a body is not counted: looking at each would make small calls dearer."""


class AdaptiveConcurrency:
    """How a limit of calls in flight follows their latency: ``Options(adaptive_concurrency=)``.

    The rule is that of Envoy's adaptive concurrency filter: while the median of what calls take is at
    most ``tolerance`` times what they take when nothing queues, the limit grows; beyond, it shrinks, to
    half each window at most. What they take when nothing queues is measured with ``least`` calls in
    flight: in quiet moments, and where there are none, once a minute for fifty calls, or for ten that
    took a second. So it is at the very first. Latency counts from the reading of a request to its
    answer, with all that its handler waits for: the limit sees what no clock of this process does, a
    database that queues, say.

    It is of use where most calls take about the same time. Long polls, which wait for events, make
    nonsense of it: serve them by a channel of their own.

    Args:
        least: Calls that may be in flight in any case, and with which nothing queues; default 10.
            The most is ``max_calls``.
        tolerance: How many times as long calls may take before the limit shrinks; default 1.25.
        window: Seconds after which the limit is looked at anew; default 0.1. A window with fewer
            than ten calls lasts longer.

    Raises:
        TypeError: An argument that is no number, or a count that is no int.
        ValueError: An argument is not positive, or ``tolerance`` below 1.

    """

    __slots__ = ("least", "tolerance", "window")

    def __init__(self, *, least: int = 10, tolerance: float = 1.25, window: float = 0.1) -> None:
        self.least: int = _count("least", least)
        self.tolerance: float = _seconds("tolerance", tolerance)
        self.window: float = _seconds("window", window)
        if tolerance < 1:
            raise ValueError(f"tolerance must be 1 or more, not {tolerance!r}")


class Options:
    """Limits and defaults of a channel; one object may serve many channels.

    All sizes are bytes, all times seconds.

    Args:
        default_timeout: Of a call that names none, or 0; default 30.
        connect_timeout: For a TCP, Unix or TLS connection to be made; default 5.
        handshake_timeout: For the peer's part of the handshake, both ways, and for that of TLS;
            default 5. This one and the next two are limits of tchannel-wire: beside ``wire=`` they
            are refused, because it says them.
        max_tls_handshakes: TLS handshakes of callers at once; each costs some 200 KB. Further
            callers wait for their turn within ``handshake_timeout``; default 100.
        close_grace: How long ``close()`` waits for calls in flight; default 10.
        max_message_size: Of one incoming message that is not streamed; default 64 MiB.
        reassembly_memory: Of all unfinished messages of one connection, and likewise of all its
            streamed bodies that wait for their readers; default 128 MiB.
        max_calls_per_connection: Incoming calls being served at once on one connection; the
            next is answered busy; default 10,000.
        max_calls: The same for the whole channel; default 100,000.
        adaptive_concurrency: Let the limit of the whole channel follow how long calls take, from
            `AdaptiveConcurrency.least` up to ``max_calls``: True, or an `AdaptiveConcurrency`; what
            is beyond it is answered busy. Default False. What begins too late for its ttl is refused
            either way, by the delay measured before handlers begin; this also sees what they wait for.
        caller_share: The part of these calls, from 0 to 1, that the callers of one host may have at
            once; the next is answered busy. A host is told by the address of its socket, IPv6 by the
            network of 64 bits, since a caller may call itself anything, and open any number of
            connections; all callers over Unix sockets are one. Where calls come through a router or
            a proxy, that is the host. Default None: one host may have them all.
        max_connections: Connections of the channel, both ways. Beyond it an accepted one goes: the
            one that has been open for longest without a call or a pong; where each has carried
            one, that with no call under way from which nothing has come for longest, whose peer is
            told; where there is none, the new one. Default 10,000, or what the process may have
            open (the soft limit of descriptors) less 64 if that is less.
        max_handshakes: Accepted connections that have not finished their handshake; beyond it the
            oldest of them goes; default 1,000.
        unused_timeout: How long an accepted connection may stay that has carried neither a call nor
            a pong; default 60. Others may stay for ever.
        idle_timeout: How long any connection may stay without a call, either way, once it has carried
            one; it goes within a quarter of that time more, after its peer was told, and the next
            call opens another. Default None: for ever.
        incoming_memory: Bytes of incoming requests, for the whole channel: of those being served,
            of those whose last frame has not come, and of streamed bodies that wait for their
            readers. A request beyond it is answered busy, unless another connection has more that
            is unfinished, which then is; of streamed bodies nothing more is read. Requests in one
            frame up to 1 KiB do not count, and one of any size is served when there is no other;
            default 256 MiB.
        unsent_memory: Bytes of answers that wait for peers that do not read, for the whole channel.
            Beyond it nothing more is served of these peers, and what their handlers still answer is
            replaced by an error; default 256 MiB.
        write_buffer: Bytes that wait for a peer to read before new calls to it wait, and before
            nothing more is read from it; default 4 MiB.
        stall_timeout: How long a peer from which nothing is read, because so many of its answers
            wait, may take none of them before its connection is closed; default 60.
        keepalive: Whether a peer that has vanished without a word is looked for, by pings of the
            protocol and by the kernel (SO_KEEPALIVE, TCP_USER_TIMEOUT); default True.
        keepalive_idle: How long a connection that we opened is quiet before it is pinged, and before
            the kernel probes it; default 60.
        keepalive_period: The same while calls wait on it; default 4.
        keepalive_grace: How long a peer that answers pings may take for it before calls go over
            another connection, and to other peers first; default 3.
        stream_buffer: Bytes of a streamed body that may wait for their reader before the
            connection is not read any more; default 256 KiB.
        peer_connections: Connections that a group of known peers opens to spread its calls;
            default 10.
        penalty_min: How long a peer that failed, or was busy, is chosen last; doubles each
            time; default 0.5.
        penalty_max: Where that doubling ends; default 30.
        retry_delay: The longest wait before the first retry; doubles with each; default 0.05.
        retry_delay_max: Where that doubling ends; default 1.
        retry_budget: Retries for each call that the channel made in the last 10 s; what fails beyond
            them is not tried again, so that an outage is not multiplied by five; the first retry of a
            call that was not sent, or that was declined, does not count; default 0.2.
        retry_budget_least: Retries within 10 s that are made however few calls there were;
            default 10.
        trust_announced_addresses: Share the connections that peers open for calls to the addresses
            that they announce in the handshake, which anybody may claim to have: for networks where
            every caller is trusted and some of them cannot be connected to. With ``ssl_client=`` a
            caller's certificate must bear the name that would be asked for at that address.
            Default False: a call to an address leaves over a connection opened to that address.
        known_services_only: Serve only the names of services that the channel knows: its own, those of
            its sub-channels, and ``tchannel``; calls of others are bad requests. Default False: the
            channel's own handlers serve every other name.
        meta_endpoints: Which ``Meta::`` endpoints are answered without a handler of one's own;
            default health, versionInfo and thriftIDL (which tells the IDL of what is served).
        max_error_text: Bytes of an undeclared exception's text that reach the caller;
            default 1,000.
        introspection: Who may ask the channel for its state, under the service name ``tchannel``
            (``tchannel::stats``, ``tchannel::stacks``, ``_gometa_introspect``, ``_gometa_runtime``):
            ``"local"``, over loopback addresses and Unix sockets (a proxy on this machine makes its
            callers such); ``"all"``; or ``"off"``. ``authorize=`` is asked as well. Default local.
        introspection_stacks: Whether they may see where tasks and threads are, which names source
            files; default False.
        latency_histograms: Whether `TChannel.stats` tells how long calls take; default True. Each row
            of it then has 2 KB.
        max_stats_rows: Services, endpoints and callers that `TChannel.stats` tells apart in each
            direction; further ones are summed up, so that callers with ever new names cost nothing;
            default 1,000.
        slow_call: From how many seconds on a call that was answered is one of the slow ones of
            `TChannel.stats`; from 0.1 on, default 1. Those of less, which are most, cost no comparison;
            without ``latency_histograms`` none is looked at.
        recent_calls: How many failed calls, and how many slow ones, `TChannel.stats` tells one by one;
            default 50.
        checksum: Of the calls made: NONE, CRC32 or CRC32C; default CRC-32C, which every peer but
            tchannel-java checks.
        wire: The limits of tchannel-wire, when more is to be said than the above.

    Raises:
        TypeError: A limit that is no number, a count that is no int, or one of tchannel-wire's limits
            beside ``wire=``.
        ValueError: A limit is not positive, a time is not finite, or a checksum is not written.

    """

    __slots__ = (
        "adaptive_concurrency",
        "caller_share",
        "checksum",
        "close_grace",
        "connect_timeout",
        "default_timeout",
        "handshake_timeout",
        "idle_timeout",
        "incoming_memory",
        "introspection",
        "introspection_stacks",
        "keepalive",
        "keepalive_grace",
        "keepalive_idle",
        "keepalive_period",
        "known_services_only",
        "latency_histograms",
        "max_calls",
        "max_calls_per_connection",
        "max_connections",
        "max_error_text",
        "max_handshakes",
        "max_stats_rows",
        "max_tls_handshakes",
        "meta_endpoints",
        "peer_connections",
        "penalty_max",
        "penalty_min",
        "recent_calls",
        "retry_budget",
        "retry_budget_least",
        "retry_delay",
        "retry_delay_max",
        "slow_call",
        "stall_timeout",
        "stream_buffer",
        "trust_announced_addresses",
        "unsent_memory",
        "unused_timeout",
        "wire",
        "write_buffer",
    )

    def __init__(
        self,
        *,
        default_timeout: float = DEFAULT_TIMEOUT,
        connect_timeout: float = 5.0,
        handshake_timeout: float | None = None,
        max_tls_handshakes: int = 100,
        close_grace: float = 10.0,
        max_message_size: int | None = None,
        reassembly_memory: int | None = None,
        max_calls_per_connection: int = 10_000,
        max_calls: int = 100_000,
        adaptive_concurrency: bool | AdaptiveConcurrency = False,
        caller_share: float | None = None,
        max_connections: int | None = None,
        max_handshakes: int = 1_000,
        unused_timeout: float = 60.0,
        idle_timeout: float | None = None,
        incoming_memory: int = 256 * _MIB,
        unsent_memory: int = 256 * _MIB,
        write_buffer: int = 4 * _MIB,
        stall_timeout: float = 60.0,
        keepalive: bool = True,
        keepalive_idle: float = 60.0,
        keepalive_period: float = 4.0,
        keepalive_grace: float = 3.0,
        stream_buffer: int = 256 * _KIB,
        peer_connections: int = 10,
        penalty_min: float = 0.5,
        penalty_max: float = 30.0,
        retry_delay: float = 0.05,
        retry_delay_max: float = 1.0,
        retry_budget: float = 0.2,
        retry_budget_least: int = 10,
        trust_announced_addresses: bool = False,
        known_services_only: bool = False,
        meta_endpoints: Iterable[str] = _META_ENDPOINTS,
        max_error_text: int = 1_000,
        introspection: Literal["local", "all", "off"] = "local",
        introspection_stacks: bool = False,
        latency_histograms: bool = True,
        max_stats_rows: int = 1_000,
        slow_call: float = 1.0,
        recent_calls: int = 50,
        checksum: ChecksumType = ChecksumType.CRC32C,
        wire: WireOptions | None = None,
    ) -> None:
        self.default_timeout: float = _seconds("default_timeout", default_timeout)
        self.connect_timeout: float = _seconds("connect_timeout", connect_timeout)
        self.wire: WireOptions = _wire_options(
            wire,
            handshake_timeout=handshake_timeout,
            max_message_size=max_message_size,
            reassembly_memory=reassembly_memory,
        )
        self.handshake_timeout: float = self.wire.handshake_timeout
        self.max_tls_handshakes: int = _count("max_tls_handshakes", max_tls_handshakes)
        self.close_grace: float = _seconds("close_grace", close_grace)
        self.max_calls_per_connection: int = _count(
            "max_calls_per_connection", max_calls_per_connection
        )
        self.max_calls: int = _count("max_calls", max_calls)
        self.adaptive_concurrency: AdaptiveConcurrency | None = _adaptive_concurrency(
            adaptive_concurrency
        )
        self.caller_share: float | None = (
            None if caller_share is None else _share("caller_share", caller_share)
        )
        self.max_connections: int = _count(
            "max_connections", _most_connections() if max_connections is None else max_connections
        )
        self.max_handshakes: int = _count("max_handshakes", max_handshakes)
        self.unused_timeout: float = _seconds("unused_timeout", unused_timeout)
        self.idle_timeout: float | None = (
            None if idle_timeout is None else _seconds("idle_timeout", idle_timeout)
        )
        self.incoming_memory: int = _positive("incoming_memory", incoming_memory)
        self.unsent_memory: int = _positive("unsent_memory", unsent_memory)
        self.write_buffer: int = _positive("write_buffer", write_buffer)
        self.stall_timeout: float = _seconds("stall_timeout", stall_timeout)
        self.keepalive: bool = _flag("keepalive", keepalive)
        self.keepalive_idle: float = _seconds("keepalive_idle", keepalive_idle)
        self.keepalive_period: float = _seconds("keepalive_period", keepalive_period)
        self.keepalive_grace: float = _seconds("keepalive_grace", keepalive_grace)
        self.stream_buffer: int = _positive("stream_buffer", stream_buffer)
        self.peer_connections: int = _count("peer_connections", peer_connections)
        self.penalty_min: float = _seconds("penalty_min", penalty_min)
        self.penalty_max: float = _seconds("penalty_max", penalty_max)
        self.retry_delay: float = _seconds("retry_delay", retry_delay)
        self.retry_budget: float = _positive("retry_budget", retry_budget)
        self.retry_budget_least: int = _count("retry_budget_least", retry_budget_least)
        self.retry_delay_max: float = _seconds("retry_delay_max", retry_delay_max)
        self.trust_announced_addresses: bool = _flag(
            "trust_announced_addresses", trust_announced_addresses
        )
        self.known_services_only: bool = _flag("known_services_only", known_services_only)
        self.meta_endpoints: frozenset[str] = _meta_endpoints(meta_endpoints)
        self.max_error_text: int = _count("max_error_text", max_error_text)
        self.introspection: str = _introspection(introspection)
        self.introspection_stacks: bool = _flag("introspection_stacks", introspection_stacks)
        self.latency_histograms: bool = _flag("latency_histograms", latency_histograms)
        self.max_stats_rows: int = _count("max_stats_rows", max_stats_rows)
        self.slow_call: float = _slow_call(slow_call)
        self.recent_calls: int = _count("recent_calls", recent_calls)
        self.checksum: ChecksumType = _checksum(checksum)


def _wire_options(options: object, **limits: float | None) -> WireOptions:
    given: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    if options is None:
        for name, value in given.items():
            _positive(name, value)
        return WireOptions(**given)
    if not isinstance(options, WireOptions):
        raise TypeError(f"wire must be of type tchannel_wire.Options, not {options!r}")
    for name in given:
        raise TypeError(f"{name} stands beside wire=, which says it too: give it to one of them")
    return options


def _checksum(value: int) -> ChecksumType:
    if value not in (ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C):
        raise ValueError(f"checksum must be NONE, CRC32 or CRC32C, not {value!r}")
    return ChecksumType(value)


def _most_connections() -> int:
    """10,000, or fewer where the process may not have as many descriptors and 64 for other things."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 10_000
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return 10_000
    return max(1, min(10_000, most - 64))


def _positive(name: str, value: _Number) -> _Number:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not value > 0:
        raise ValueError(f"{name} must be a number above 0, not {value!r}")
    return value


def _seconds(name: str, value: float) -> float:
    if _positive(name, value) == inf:
        raise ValueError(f"{name} must be a finite number of seconds, not {value!r}")
    return value


def _share(name: str, value: float) -> float:
    if _positive(name, value) > 1:
        raise ValueError(f"{name} must be a part from 0 to 1, not {value!r}")
    return value


def _adaptive_concurrency(value: object) -> AdaptiveConcurrency | None:
    if isinstance(value, AdaptiveConcurrency):
        return value
    if not isinstance(value, bool):
        raise TypeError(
            f"adaptive_concurrency must be a bool or an AdaptiveConcurrency, not {value!r}"
        )
    return AdaptiveConcurrency() if value else None


def _slow_call(value: float) -> float:
    if _seconds("slow_call", value) < 0.1:
        raise ValueError(f"slow_call must be at least 0.1 s, not {value!r}")
    return value


def _count(name: str, value: int) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    return _positive(name, value)


def _meta_endpoints(names: Iterable[str]) -> frozenset[str]:
    if isinstance(names, str):
        raise TypeError(f"meta_endpoints must be a list of names, not the str {names!r}")
    wanted = frozenset(names)
    for name in wanted:
        if name not in _META_ENDPOINTS:
            raise ValueError(f"meta_endpoints are {', '.join(_META_ENDPOINTS)}, not {name!r}")
    return wanted


def _introspection(value: str) -> str:
    if value not in ("local", "all", "off"):
        raise ValueError(f"introspection must be 'local', 'all' or 'off', not {value!r}")
    return value


def _flag(name: str, value: bool) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return value
