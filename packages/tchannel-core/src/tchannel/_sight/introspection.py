"""What answers those who ask a live process over TChannel: under the service name ``tchannel``.

======================  ===============================================================================
``tchannel::stats``     the snapshot of `TChannel.stats` as JSON; takes ``{"most": 100}``
``tchannel::stacks``    where tasks and threads are, once ``Options(introspection_stacks=True)``
``_gometa_introspect``  the state of the channel, in the shape of tchannel-go; of another one in this
                        process by its number, ``{"id": 1}``
``_gometa_runtime``     the state of the process, likewise; what has no meaning here is 0
======================  ===============================================================================

They speak json, and raw for tools that send the same JSON so. Who may ask is the business of
``Options(introspection=...)``, and of ``authorize=`` before that.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import ipaddress
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from .._ground.addresses import UNIX_CALLER, UNIX_PREFIX, parse_hostport
from .._ground.text import shown
from .._version import __version__
from ..authorization import Access
from ..errors import BadRequestError
from .snapshot import connection_stats, take
from .stacks import stacks, stacks_as_text

if TYPE_CHECKING:
    from .._inner_channel import InnerChannel
    from .._links.connection import Connection
    from .._links.peers import Peer
    from .._serving.endpoints import Endpoint, Endpoints
    from ..request import Request

__all__ = ["add_introspection", "is_local"]

_MAX_MOST: Final = 1_000
"""Connections, peers and calls that one answer tells one by one: it holds the loop meanwhile."""

_CHANNEL_STATES: Final = {
    "winding down": "ChannelStartClose",
    "draining": "ChannelStartClose",
    "closing": "ChannelInboundClosed",
    "closed": "ChannelClosed",
}
_CONNECTION_STATES: Final = {
    "draining": "connectionStartClose",
    "peer-draining": "connectionStartClose",
    "closing": "connectionClosed",
}


def is_local(access: Access) -> bool:
    """Say whether a call comes from this machine: over a loopback address, or a Unix socket."""
    if access.peer.startswith((UNIX_PREFIX, UNIX_CALLER)):
        return True
    try:
        address = ipaddress.ip_address(parse_hostport(access.peer)[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def add_introspection(
    channel: InnerChannel,
    endpoints: Endpoints,
    make: Callable[..., Endpoint],
    channels: Callable[[], Iterable[InnerChannel]],
) -> None:
    """Let ``endpoints`` answer, as far as the channel's options allow.

    Args:
        channel: Whose state it is.
        endpoints: Those of the service name ``tchannel``.
        make: `Endpoint`, of a wing above.
        channels: Gives all channels of the process.

    """
    wanted = channel.options.introspection
    if wanted == "off":
        return
    for name, answer in (
        ("tchannel::stats", _stats),
        ("tchannel::stacks", _stacks),
        ("_gometa_introspect", partial(_introspect, channels)),
        ("_gometa_runtime", _runtime),
    ):
        for scheme in ("json", "raw"):
            # Without an object that lives for the channel: the request knows whose it is.
            endpoint = make(scheme, partial(_answer, answer), _decode, _encode)
            if wanted == "local":
                endpoint.authorize = is_local
            endpoints.add(name, endpoint)


def _answer(
    answer: Callable[[InnerChannel, dict[str, object]], object], request: Request
) -> object:
    channel: InnerChannel = request.connection.channel  # type: ignore[attr-defined]  # one that is served
    return answer(channel, request.body)


def _decode(arg2: bytes, arg3: bytes) -> tuple[bytes, dict[str, object]]:
    options = json.loads(arg3) if arg3.strip() else {}
    if options is None:
        options = {}
    if not isinstance(options, dict):
        raise BadRequestError("the body must be a JSON object of options")
    return arg2, options


def _encode(answer: object) -> tuple[int, bytes, bytes]:
    return 0, b"", json.dumps(answer).encode()


def _stats(channel: InnerChannel, options: dict[str, object]) -> object:
    most = options.get("most", _MAX_MOST)
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise BadRequestError("most must be a number from 0")
    return take(channel, min(most, _MAX_MOST)).to_dict()


def _stacks(channel: InnerChannel, options: dict[str, object]) -> object:
    if not channel.options.introspection_stacks:
        raise BadRequestError("stacks are not told here: Options(introspection_stacks=True)")
    return stacks()


# -- the shapes of tchannel-go ------------------------------------------------------------------------


def _runtime(channel: InnerChannel, options: dict[str, object]) -> object:
    size = _resident_bytes()
    state: dict[str, object] = {
        "memStats": {
            **dict.fromkeys(_NUMBERS, 0),
            "Alloc": size,
            "HeapAlloc": size,
            "Sys": size,
            "HeapSys": size,
            "NumGC": _collections(),
            "GCCPUFraction": 0.0,
            "EnableGC": gc.isenabled(),
            "DebugGC": False,
            "PauseNs": [],
            "PauseEnd": [],
            "BySize": [],
        },
        "numGoRoutines": len(asyncio.all_tasks()) + threading.active_count(),
        "numCPU": os.cpu_count() or 1,
        "numCGo": 0,
    }
    if options.get("includeGoStacks") is True and channel.options.introspection_stacks:
        state["goStacks"] = base64.b64encode(stacks_as_text().encode()).decode()
    return state


_NUMBERS: Final = (
    *("TotalAlloc", "Lookups", "Mallocs", "Frees", "HeapIdle", "HeapInuse", "HeapReleased"),
    *("HeapObjects", "StackInuse", "StackSys", "MSpanInuse", "MSpanSys", "MCacheInuse"),
    *("MCacheSys", "BuckHashSys", "GCSys", "OtherSys", "NextGC", "LastGC", "PauseTotalNs"),
    "NumForcedGC",
)


def _collections() -> int:
    if sys.implementation.name != "cpython":  # gc tells something else, or nothing, there
        return 0
    return sum(generation["collections"] for generation in gc.get_stats())


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):  # not on Linux
        return 0


def _introspect(
    channels: Callable[[], Iterable[InnerChannel]],
    channel: InnerChannel,
    options: dict[str, object],
) -> object:
    wanted = options.get("id")
    if wanted is not None:
        found = [each for each in (channel, *channels()) if _number(each) == wanted]
        if not found or not _tells_for(channel, found[0]):
            # As tchannel-go says it, which takes it for no error of the call.
            return {"error": f'failed to find channel with "id": {shown(str(wanted))}'}
        channel = found[0]
    with_exchanges = options.get("includeExchanges") is True
    with_empty = options.get("includeEmptyPeers") is True
    told = take(channel, None)
    scores = {peer.hostport: (peer.score, peer.chosen) for peer in told.peers}
    table = channel.peers_table
    states: dict[Connection, dict[str, object]] = {
        each: _connection(each, with_exchanges) for each in channel.connections
    }
    root = {
        peer.hostport: _peer(peer, states, scores.get(peer.hostport, (0, 0))[1])
        for peer in [*table.peers.values(), *table.callers.values()]
        if peer.connections or with_empty
    }
    services = {
        name: {
            "service": name,
            "isolated": False,
            "handler": {
                "type": "methods",
                "methods": sorted(endpoints.names()),
            },
        }
        for name, endpoints in channel.services.items()
    }
    others: dict[str, list[object]] = {}
    if options.get("includeOtherChannels") is True:
        for other in channels():
            if other is not channel:
                others.setdefault(other.name, []).append(
                    {"id": _number(other), "createdStack": "", "localPeer": _local_peer(other)}
                )
    return {
        "id": _number(channel),
        "channelState": _CHANNEL_STATES.get(
            told.state, "ChannelClient" if told.hostport is None else "ChannelListening"
        ),
        "createdStack": "",
        "localPeer": _local_peer(channel),
        "subChannels": services,
        "rootPeers": root,
        "peers": [
            {"hostPort": hostport, "score": scores[hostport][0]}
            for hostport in table.group.hosts
            if hostport in scores
        ],
        "numConnections": len(states),
        "connections": [one["id"] for one in states.values()],
        "inactiveConnections": [
            one for one in states.values() if one["connectionState"] != "connectionActive"
        ],
        "otherChannels": others,
        "runtimeVersion": {
            "goVersion": f"python {sys.version.split()[0]}",
            "tchannelVersion": __version__,
        },
    }


def _tells_for(asked: InnerChannel, other: InnerChannel) -> bool:
    """Say whether who may ask the one may ask the other as well: of this loop, and as open as it."""
    return asked is other or (
        other.loop is asked.loop
        and other.authorize is asked.authorize
        and other.options.introspection in ("all", asked.options.introspection)
    )


def _number(what: object) -> int:
    """Return a number for an object as long as it lives, where Go counts."""
    return id(what) >> 4 & 0xFFFFFFFF


def _version(*, language: str, version: str, library: str) -> dict[str, str]:
    return {"language": language, "languageVersion": version, "tchannelVersion": library}


def _local_peer(channel: InnerChannel) -> dict[str, object]:
    listens = channel.listener is not None
    return {
        "hostPort": channel.hostport if listens else "0.0.0.0:0",
        "isEphemeral": not listens,
        "processName": channel.process_name,
        "serviceName": channel.name,
        "version": _version(language="python", version=sys.version.split()[0], library=__version__),
    }


def _peer(
    peer: Peer, states: dict[Connection, dict[str, object]], chosen: int
) -> dict[str, object]:
    told = [(each, states[each]) for each in peer.connections if each in states]
    return {
        "hostPort": peer.hostport,
        "outboundConnections": [state for each, state in told if each.opener],
        "inboundConnections": [state for each, state in told if not each.opener],
        "chosenCount": chosen,
        "scCount": int(peer.known),
    }


def _connection(connection: Connection, with_exchanges: bool) -> dict[str, object]:
    remote = connection.wire.remote
    headers = {} if remote is None else remote.headers
    now = connection.timers.time()
    told = connection_stats(connection, now)
    # Go tells the time of day, in nanoseconds.
    heard = int((time.time() - (now - connection.last_heard)) * 1e9)
    return {
        "id": _number(connection),
        "connectionState": _CONNECTION_STATES.get(told.state, "connectionActive"),
        "localHostPort": _own_address(connection),
        "remoteHostPort": connection.address,
        "outboundHostPort": connection.address if connection.opener else "",
        "remotePeer": {
            "hostPort": told.announced or "0.0.0.0:0",
            "isEphemeral": told.announced is None,
            "processName": told.process_name,
            "version": _version(
                language=headers.get("tchannel_language", ""),
                version=headers.get("tchannel_language_version", ""),
                library=headers.get("tchannel_version", ""),
            ),
        },
        "inboundExchange": _exchanges("inbound", list(connection.incoming), with_exchanges),
        "outboundExchange": _exchanges("outbound", list(connection.wire.outbound), with_exchanges),
        "relayer": {
            "count": 0,
            "inboundItems": {"name": "inbound", "count": 0},
            "outboundItems": {"name": "outbound", "count": 0},
            "maxTimeout": 0,
            "maxConnectionTimeout": 0,
        },
        "lastActivityRead": heard,
        "lastActivityWrite": heard,
        "sendChQueued": 0,
        "sendChCapacity": 0,
        "sendBufferUsage": told.unsent,
        "sendBufferSize": int(connection.channel.options.write_buffer),
    }


def _exchanges(name: str, ids: list[int], with_exchanges: bool) -> dict[str, object]:
    told: dict[str, object] = {"name": name, "count": len(ids)}
    if with_exchanges:
        told["exchanges"] = {str(each): {"id": each, "messageType": 3} for each in ids}
    return told


def _own_address(connection: Connection) -> str:
    name = connection.transport.get_extra_info("sockname")
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name or "")
