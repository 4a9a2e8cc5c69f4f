"""Calls to the router itself: advertising, discovery, what tools ask for, and ``Meta::health``."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from logging import Logger
from typing import TYPE_CHECKING

import tchannel_wire as wire
from tchannel.lowlevel import logger, parse_hostport
from tchannel_wire import ARG_SCHEME

from ..discovery_messages import DiscoveryUnavailableError, answer_discovery, is_ipv4
from .directory import Directory, Instance

if TYPE_CHECKING:
    from .connection import RouterConnection

__all__ = ["AdvertisingLimits", "LocalCall", "LocalEndpoints", "is_same_host"]

log: Logger = logger("tchannel.router")

_OPTIONS = wire.Options(max_message_size=1024 * 1024)
# A client asks for one or two things at a time; each may take max_message_size until it is whole.
_MAX_ARRIVING = 16
_CALL_RESPONSE = int(wire.FrameType.CALL_RESPONSE)

# Thrift, Binary protocol: field 0 (success) of the result is a HealthStatus {1: ok = true}.
_HEALTHY = b"\x0c\x00\x00\x02\x00\x01\x01\x00\x00"
_NO_THRIFT_HEADERS = b"\x00\x00"

Answer = tuple[int, bytes, bytes]
"""Code, arg2 and arg3."""


class LocalCall:
    """A call that is arriving.

    Args:
        request: Its first frame.

    """

    __slots__ = ("reader", "request")

    def __init__(self, request: wire.CallRequest) -> None:
        self.request: wire.CallRequest = request
        self.reader: wire.FragmentReader = wire.FragmentReader(request.checksum_type, _OPTIONS)


class AdvertisingLimits:
    """What a caller may advertise.

    Args:
        names: How many service names one instance may have.
        instances: How many instances there may be on one host.
        trust_hosts: Whether a caller may announce an address on another host than its own, to which
            the router then connects.

    """

    __slots__ = ("instances", "names", "trust_hosts")

    def __init__(self, names: int, instances: int, *, trust_hosts: bool) -> None:
        self.names: int = names
        self.instances: int = instances
        self.trust_hosts: bool = trust_hosts


class LocalEndpoints:
    """Answers calls to the router itself.

    Args:
        directory: What there is to be told of and to be changed.
        on_advertised: Called with an instance that has just advertised.
        limits: What a caller may advertise.

    """

    def __init__(
        self,
        directory: Directory,
        on_advertised: Callable[[Instance], object],
        limits: AdvertisingLimits,
    ) -> None:
        self._directory = directory
        self._limits = limits
        self._on_advertised = on_advertised
        self._endpoints: dict[tuple[str, bytes], Callable[[RouterConnection, bytes], Answer]] = {
            ("json", b"ad"): self._ad,
            ("json", b"unad"): self._unad,
            ("json", b"channels_v1"): self._channels,
            ("thrift", b"Hyperbahn::discover"): self._discover,
            ("thrift", b"Hyperbahn::discoverAffine"): self._discover,
            ("thrift", b"Meta::health"): self._health,
        }

    # -- calls --------------------------------------------------------------------------------

    def begin(self, caller: RouterConnection, frame: bytes) -> None:
        """Take the first frame of a call.

        Raises:
            ProtocolError: The call is wrong (code BAD_REQUEST), or one too many (code BUSY).

        """
        request = wire.decode(frame)
        assert isinstance(request, wire.CallRequest)
        if len(caller.local) >= _MAX_ARRIVING:
            raise wire.ProtocolError(
                f"{_MAX_ARRIVING} calls to the router are arriving already",
                code=wire.ErrorCode.BUSY,
                message_id=request.id,
            )
        caller.local[request.id] = LocalCall(request)
        self._feed(caller, request)

    def go_on(self, caller: RouterConnection, frame: bytes) -> None:
        """Take a later frame, or the end of a call that is not wanted any more.

        Raises:
            ProtocolError: The call is wrong; code BAD_REQUEST.

        """
        message = wire.decode(frame)
        if isinstance(message, wire.CallRequestContinue):
            self._feed(caller, message)
        elif isinstance(message, wire.Cancel):
            call = caller.local.pop(message.id)
            caller.refuse(message.id, wire.ErrorCode.CANCELLED, "cancelled", call.request.tracing)

    def _feed(
        self, caller: RouterConnection, message: wire.CallRequest | wire.CallRequestContinue
    ) -> None:
        call = caller.local[message.id]
        try:
            call.reader.feed(
                message.checksum_type, message.checksum, message.chunks, last=not message.more
            )
        except wire.ProtocolError as error:
            error.message_id = message.id
            raise
        if not message.more:
            del caller.local[message.id]
            self._answer(caller, call)

    def _answer(self, caller: RouterConnection, call: LocalCall) -> None:
        request, reader = call.request, call.reader
        scheme = request.headers.get(ARG_SCHEME, "")
        arg1, _, arg3 = reader.take(0), reader.take(1), reader.take(2)
        endpoint = self._endpoints.get((scheme, arg1))
        try:
            if endpoint is None:
                raise wire.ProtocolError(
                    f"the router has no endpoint {arg1[:80].decode(errors='replace')!r}"
                    f" of scheme {scheme!r}",
                    code=wire.ErrorCode.BAD_REQUEST,
                )
            answer = endpoint(caller, arg3)
        except wire.ProtocolError as error:
            error.message_id = request.id
            raise
        self._send(caller, request, scheme, answer)

    def _send(
        self, caller: RouterConnection, request: wire.CallRequest, scheme: str, answer: Answer
    ) -> None:
        code, arg2, arg3 = answer
        fields = bytes((code,)) + request.tracing + wire.encode_headers({ARG_SCHEME: scheme})
        writer = wire.FragmentWriter(
            request.id, _CALL_RESPONSE, fields, request.checksum_type, b"", arg2
        )
        writer.write(arg3)
        writer.finish()
        while (frame := writer.next_frame()) is not None:
            caller.reply(frame)

    # -- endpoints ----------------------------------------------------------------------------

    def _ad(self, caller: RouterConnection, arg3: bytes) -> Answer:
        names = _names(arg3)
        if names:
            self._check_caller(caller)
            instance = self._instance_of(caller)
            if instance.names + len(names) > self._limits.names:
                serves = self._directory.served_by(instance)
                if len(serves | set(names)) > self._limits.names:
                    self._directory.drop_unused(instance)
                    raise _refused(f"an instance may serve {self._limits.names} names")
            for name in names:
                self._directory.advertise(name, instance)
            self._on_advertised(instance)
        return _json_answer({"connectionCount": 1 if names else 0})

    def _check_caller(self, caller: RouterConnection) -> None:
        """Let nobody make the router connect elsewhere, or fill it.

        Raises:
            ProtocolError: The caller announces another host than its own, or there are too many
                instances on it; code BAD_REQUEST.

        """
        announced = caller.announced or caller.address
        known = self._directory.find(announced) is not None
        host, own = parse_hostport(announced)[0], parse_hostport(caller.address)[0]
        if not self._limits.trust_hosts and not is_same_host(host, own):
            raise _refused(
                f"the caller at {own} announces {announced:.200}, another host: the router connects to"
                " such addresses only if it was told to trust them (trust_announced_hosts=True,"
                " --trust-announced-hosts)"
            )
        if not known and self._directory.count_on(host) >= self._limits.instances:
            raise _refused(f"there may be {self._limits.instances} instances on one host")

    def _unad(self, caller: RouterConnection, arg3: bytes) -> Answer:
        instance = self._directory.find(caller.announced or caller.address)
        if instance is not None:
            for name in _names(arg3):
                self._directory.unadvertise(name, instance)
        return _json_answer({"connectionCount": 1 if instance else 0})

    def _instance_of(self, caller: RouterConnection) -> Instance:
        remote = caller.remote
        assert remote is not None
        instance = self._directory.instance(
            caller.announced or caller.address, ephemeral=remote.is_ephemeral
        )
        caller.instance = instance
        if caller not in instance.opened:
            # The one that advertised last is asked first: an older one may belong to a process that
            # is gone without our knowing.
            if caller in instance.accepted:
                instance.accepted.remove(caller)
            instance.accepted.append(caller)
        return instance

    def _discover(self, caller: RouterConnection, arg3: bytes) -> Answer:
        def find(service: str) -> list[str]:
            return [
                instance.hostport
                for instance in self._directory.instances(service)
                if not instance.ephemeral and is_ipv4(instance.hostport)
            ]

        try:
            code, body = answer_discovery(arg3, find)
        except (DiscoveryUnavailableError, ValueError) as error:
            raise wire.ProtocolError(str(error), code=wire.ErrorCode.BAD_REQUEST) from None
        return code, _NO_THRIFT_HEADERS, body

    def _channels(self, caller: RouterConnection, arg3: bytes) -> Answer:
        """The advertised names, as Hyperbahn's admin service has them, which tools ask for."""
        names = {
            name: {"serviceName": name, "handlerType": "tchannel.relay-handler"}
            for name in self._directory.services
        }
        return 0, b"{}", json.dumps(names).encode()

    def _health(self, caller: RouterConnection, arg3: bytes) -> Answer:
        return 0, _NO_THRIFT_HEADERS, _HEALTHY


def is_same_host(host: str, other: str) -> bool:
    """Say whether two hosts are one: equal, or both of this machine."""
    return host == other or (_is_here(host) and _is_here(other))


def _is_here(host: str) -> bool:
    try:
        # Binding succeeds for the addresses of this machine alone; nothing is sent.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((socket.inet_ntoa(socket.inet_aton(host)), 0))
    except OSError:
        return False
    return True


def _refused(text: str) -> wire.ProtocolError:
    return wire.ProtocolError(text, code=wire.ErrorCode.BAD_REQUEST)


def _names(arg3: bytes) -> list[str]:
    """The service names in the body of an advertisement; empty ones are left out."""
    try:
        names = [service["serviceName"] for service in json.loads(arg3)["services"]]
    except (ValueError, TypeError, KeyError, RecursionError):  # the last: nested too deeply
        names = [None]
    if not all(isinstance(name, str) for name in names):
        raise wire.ProtocolError(
            'the body must be {"services": [{"serviceName": "...", "cost": 0}]}',
            code=wire.ErrorCode.BAD_REQUEST,
        )
    return [name for name in names if name]


def _json_answer(body: dict[str, int]) -> Answer:
    return 0, b"{}", json.dumps(body).encode()
