"""The checks of a peer, one after the other: the earlier ones are what the later ones stand on."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import tchannel_wire as wire
from tchannel.lowlevel import UNIX_PREFIX, parse_hostport

from .._calling.connecting import tls_context
from .._calling.options import Where
from .._terminal.failures import one_line
from .advice import mend_connecting, mend_tls, reason
from .findings import Finding, Verdict, note, ok, skipped, wrong
from .link import Heard, Link, LinkError, Request

__all__ = ["Doctor"]

_SOON_DAYS: Final = 14
_LARGE: Final = 150_000
# Thrift, Binary protocol: a field that nobody has, a string, to be skipped by who reads arguments.
_UNKNOWN_FIELD: Final = b"\x0b\x03\xe7"
_CHECKSUMS: Final = {
    wire.ChecksumType.NONE: "none",
    wire.ChecksumType.CRC32: "crc32",
    wire.ChecksumType.CRC32C: "crc32c",
}
_DRAINING: Final = "draining"


class Doctor:
    """Looks at one peer.

    Args:
        hostport: Its address.
        where: How to connect, and for how long to wait.
        service: A service of it; "" if none is known.

    Attributes:
        service: As given.
        reached: Whether it speaks TChannel.
        announced: The address that it announces of itself; "" before it did.

    """

    def __init__(self, hostport: str, where: Where, service: str) -> None:
        self._hostport = hostport
        self._where = where
        self.service = service
        self._context = None if where.tls is None else tls_context(where.tls)
        self._process = ""
        self.reached: bool = False
        self.announced: str = ""
        self._notices: list[str] = []

    async def examine(self) -> AsyncIterator[Finding]:
        """Look at everything that can be looked at, as far as it goes."""
        host, port = parse_hostport(self._hostport)
        if not host.startswith(UNIX_PREFIX):
            finding = await self._resolve(host, port)
            yield finding
            if finding.verdict is Verdict.WRONG:
                return
        finding = await self._connect()
        yield finding
        if finding.verdict is Verdict.WRONG:
            return
        for check in (self._tls, self._handshake):
            finding = await check()
            yield finding
            if finding.verdict is Verdict.WRONG:
                return
        yield await self._address()
        for check in (self._ping, self._checksums, self._bad_checksum, self._ttl, self._fragments):
            try:
                yield await check()
            except (OSError, LinkError) as error:
                yield wrong(
                    check.__name__.strip("_").replace("_", " "),
                    f"the connection was lost in between: {error or type(error).__name__}",
                    "look into the log of the peer: it may be starting anew again and again",
                )
        yield self._draining()

    # -- the connection -------------------------------------------------------------------------

    async def _resolve(self, host: str, port: int) -> Finding:
        try:
            found = await asyncio.wait_for(
                asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM),
                self._where.timeout,
            )
        except TimeoutError:
            return wrong("resolve", f"no name server tells who {host} is", "look at its settings")
        except OSError as error:
            return wrong(
                "resolve",
                f"there is no host {host}: {error.strerror}",
                "is the name right, and known from here? `getent hosts` asks as programs do",
            )
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if len({":" in one for one in addresses}) > 1:
            return note(
                "resolve",
                f"{host} is {', '.join(addresses)}",
                "old TChannel peers know IPv4 alone: a service that listens there only is reached "
                "after the IPv6 address has failed",
            )
        return ok("resolve", ", ".join(addresses))

    async def _connect(self) -> Finding:
        begun = _now()
        try:
            link = await Link.connect(self._hostport, self._where.timeout)
        except TimeoutError:
            return wrong(
                "connect",
                f"no answer within {self._where.timeout:g} s",
                "a firewall drops what is sent there, or the machine is down: try from a machine "
                "beside it",
            )
        except OSError as error:
            return wrong("connect", reason(error), mend_connecting(error))
        seconds = _now() - begun
        await link.close()
        if seconds > 0.2:
            return note(
                "connect",
                f"after {_ms(seconds)}",
                "that is far away, or busy: timeouts of calls must leave room for it",
            )
        return ok("connect", f"after {_ms(seconds)}")

    async def _tls(self) -> Finding:
        if self._context is None:
            return skipped("TLS", "not asked for (--tls)")
        try:
            link = await self._open()
        except (OSError, TimeoutError) as error:
            text = reason(error, tls=True)
            if await self._speaks_plainly():
                return wrong("TLS", f"{text}; it speaks TChannel without TLS", "leave out --tls")
            return wrong("TLS", text, mend_tls(error, self._where.tls))
        assert link.tls is not None, "it was asked for"
        text = f"{link.tls.version()}, {(link.tls.cipher() or ('?',))[0]}"
        certificate = link.tls.getpeercert()
        await link.close()
        if not certificate:
            return note("TLS", f"{text}; --insecure trusts any certificate", "give --ca instead")
        end = dt.datetime.fromtimestamp(
            ssl.cert_time_to_seconds(str(certificate["notAfter"])), dt.UTC
        )
        days = (end - dt.datetime.now(dt.UTC)).days
        if days < _SOON_DAYS:
            return note(
                "TLS", f"{text}; the certificate ends in {days} days, {end:%Y-%m-%d}", "renew it"
            )
        return ok("TLS", f"{text}, certificate until {end:%Y-%m-%d}")

    async def _speaks_plainly(self) -> bool:
        try:
            link = await Link.connect(self._hostport, self._where.timeout)
        except (OSError, TimeoutError):
            return False
        try:
            await link.handshake(self._where.timeout)
        except (LinkError, TimeoutError):
            return False
        else:
            return True
        finally:
            await link.close()

    async def _handshake(self) -> Finding:
        link = await self._open()
        try:
            message = await link.handshake(self._where.timeout)
            remote = wire.check_init_response(message, 1)
        except wire.ProtocolError as error:
            return wrong(
                "handshake", f"it introduces itself wrongly: {error}", "no TChannel peer does"
            )
        except LinkError as error:
            return await self._other_protocol(str(error), error.protocol)
        except TimeoutError:
            return await self._other_protocol("it does not introduce itself", None)
        finally:
            await link.close()
        self.reached = True
        self.announced = message.headers["host_port"]
        self._process = remote.process_name
        headers = message.headers
        told = [
            remote.process_name,
            " ".join(
                headers.get(f"tchannel_{one}", "?") for one in ("language", "language_version")
            ),
            f"tchannel {headers.get('tchannel_version', '?')}",
        ]
        return ok("handshake", ", ".join(told))

    async def _other_protocol(self, text: str, protocol: str | None) -> Finding:
        """Say who is there, where no TChannel peer is."""
        if self._context is None and (
            protocol == "TLS" or (protocol is None and await self._speaks_tls())
        ):
            return wrong(
                "handshake", f"{text}; it speaks TLS", "connect by TLS: --tls, with --ca if need be"
            )
        if protocol is None:
            protocol = await self._speaks_http()
        if protocol is not None:
            return wrong(
                "handshake",
                f"it speaks {protocol}, and no TChannel",
                "is the port right? A service has its TChannel port beside the one for HTTP",
            )
        return wrong(
            "handshake",
            text,
            "something else listens there, or the service hangs: look at the process that has the "
            "port (`ss -ltnp`)",
        )

    async def _speaks_tls(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            link = await Link.connect(self._hostport, self._where.timeout, context=context)
        except ssl.SSLError as error:
            # An alert is TLS, too: it wants a certificate of ours, say.
            return "ALERT" in (error.reason or "")
        except (OSError, TimeoutError):
            return False
        await link.close()
        return True

    async def _speaks_http(self) -> str | None:
        try:
            link = await self._open()
        except (OSError, TimeoutError):
            return None
        try:
            link.write(b"GET / HTTP/1.0\r\n\r\n")
            data = await link.read_some(self._where.timeout)
        except TimeoutError:
            return None
        finally:
            await link.close()
        return "HTTP" if data.startswith(b"HTTP/") else None

    # -- what it says of itself -----------------------------------------------------------------

    async def _address(self) -> Finding:
        announced = self.announced
        host, _ = parse_hostport(self._hostport)
        if announced == self._hostport or host.startswith(UNIX_PREFIX):
            return ok("address", f"it announces {announced}")
        said = f"it announces {announced}"
        try:
            named, port = parse_hostport(announced)
        except ValueError:
            return wrong(
                "address",
                f"it announces {announced!r}, which is no address",
                "give it a host:port to listen on; tchannel-node closes such connections",
            )
        if announced == wire.EPHEMERAL_HOST_PORT or not port:
            return wrong(
                "address",
                f"{said}: who called it is to believe that it does not listen",
                "let it listen before it serves connections, and say its host: routers and "
                "tchannel-node refuse such a peer",
            )
        if not _is_ipv4(named):
            return note(
                "address",
                f"{said}, which is no IPv4 address",
                "tchannel-node closes connections of such peers, Hyperbahn knows IPv4 alone",
            )
        if ipaddress.ip_address(named).is_loopback and not _is_here(host):
            return wrong(
                "address",
                f"{said}: other machines find themselves there",
                "let it listen on the address of a network (hostport=, listenIp), not on 127.0.0.1",
            )
        try:
            link = await self._open(announced)
        except (OSError, TimeoutError) as error:
            return wrong(
                "address",
                f"{said}, which cannot be connected to from here: {reason(error)}",
                "routers and peers call back at that address: let it listen on one that they reach",
            )
        try:
            remote = wire.check_init_response(await link.handshake(self._where.timeout), 1)
        except (LinkError, TimeoutError, wire.ProtocolError) as error:
            return wrong(
                "address",
                f"{said}, where no TChannel peer answers: {error or 'no answer'}",
                "let it announce the address at which it listens",
            )
        finally:
            await link.close()
        if remote.process_name != self._process:
            return wrong(
                "address",
                f"{said}, where another process listens: {remote.process_name}",
                "two services announce one address: give each its own",
            )
        return ok("address", f"{said}, which is the same process")

    async def _ping(self) -> Finding:
        link = await self._ready()
        try:
            seconds = await link.ping(self._where.timeout)
        finally:
            await self._done(link)
        if seconds is None:
            return note(
                "ping",
                f"no answer within {self._where.timeout:g} s",
                "old Python and Java services never answer pings: call them without ping_interval",
            )
        return ok("ping", f"after {_ms(seconds)}")

    # -- calls ----------------------------------------------------------------------------------

    def _request(self) -> Request:
        return Request(
            self.service or "tchannel-doctor",
            ttl_ms=max(1, round(self._where.timeout * 1000)),
            caller=self._where.caller or "tchannel",
        )

    async def _checksums(self) -> Finding:
        good, bad = [], []
        for kind, name in _CHECKSUMS.items():
            heard = await self._call(replace(self._request(), checksum_type=kind))
            if _is_heard(heard):
                good.append(name)
            else:
                bad.append(f"{name} ({_said(heard)})")
            if heard.kind == "answer" and heard.checksum_type != kind:
                bad.append(f"{name} (answered with checksum type {heard.checksum_type})")
            elif not heard.right:
                bad.append(f"{name} (answered with a wrong checksum)")
        if bad:
            return wrong(
                "checksums",
                f"not understood: {', '.join(bad)}",
                f"call it with {' or '.join(good)}" if good else "no call gets through: see above",
            )
        return ok("checksums", ", ".join(good))

    async def _bad_checksum(self) -> Finding:
        heard = await self._call(replace(self._request(), bad_checksum=True))
        if heard.kind == "answer":
            return note(
                "bad checksum",
                "a request with a wrong checksum is answered as though it were right",
                "what the network spoils is not noticed there; routers pass checksums on unread",
            )
        if heard.kind == "silence":
            return note(
                "bad checksum",
                "a request with a wrong checksum is not answered",
                "callers wait for their timeout then",
            )
        return ok("bad checksum", f"refused: {_said(heard)}")

    async def _ttl(self) -> Finding:
        request = self._request()
        plain = await self._call(request)
        if not _is_heard(plain):
            return wrong(
                "time to live", f"a call is not answered: {_said(plain)}", "see what it logs"
            )
        short = max(100, round(plain.seconds * 4000))
        heard = await self._call(replace(request, ttl_ms=short))
        if heard.kind == "error" and heard.code == wire.ErrorCode.TIMEOUT:
            return wrong(
                "time to live",
                f"a call with {short} ms is over after {_ms(heard.seconds)}, though calls take "
                f"{_ms(plain.seconds)}",
                "it takes the ttl for another unit, or its clock jumps",
            )
        if not _is_heard(heard):
            return wrong(
                "time to live",
                f"a call with {short} ms is not answered: {_said(heard)}",
                "as above",
            )
        long = await self._call(replace(request, ttl_ms=3_600_000))
        if not _is_heard(long):
            return note(
                "time to live",
                f"a call with an hour is not answered: {_said(long)}",
                "give calls less; routers cut it to two minutes",
            )
        return ok(
            "time to live", f"calls take {_ms(plain.seconds)}; {short} ms to an hour are taken"
        )

    async def _fragments(self) -> Finding:
        if not self.service:
            return skipped("fragments", "name a service of it: --service")
        large = _UNKNOWN_FIELD + _LARGE.to_bytes(4, "big") + b"x" * _LARGE + b"\0"
        small = _UNKNOWN_FIELD + (8).to_bytes(4, "big") + b"x" * 8 + b"\0"
        plain = await self._call(self._request())
        sizes = {
            f"{_LARGE:,} bytes in frames of 64 KiB": replace(self._request(), arg3=large),
            "a frame for every 3 bytes": replace(self._request(), arg3=small, piece=3),
        }
        bad = []
        for name, request in sizes.items():
            heard = await self._call(request)
            if heard.kind != plain.kind:
                bad.append(f"{name}: {_said(heard)}")
        if bad:
            return wrong(
                "fragments",
                f"calls of more than one frame fail: {'; '.join(bad)}",
                "a proxy in between may know single frames alone, or a limit of size is too low",
            )
        return ok("fragments", "; ".join(sizes))

    def _draining(self) -> Finding:
        told = [one for one in self._notices if _DRAINING in one]
        if told:
            return wrong(
                "draining",
                f"it is about to leave: {told[0]!r}",
                "it takes no new calls: call another instance, or start it again",
            )
        if self._notices:
            return note("notices", f"it said of the connection: {self._notices[0]!r}")
        return ok("draining", "it is not")

    # -- help -----------------------------------------------------------------------------------

    async def _open(self, hostport: str | None = None) -> Link:
        tls = self._where.tls
        host, _ = parse_hostport(self._hostport)
        return await Link.connect(
            self._hostport if hostport is None else hostport,
            self._where.timeout,
            context=self._context,
            server_name=(tls.server_name or host) if tls is not None else None,
        )

    async def _ready(self) -> Link:
        link = await self._open()
        try:
            await link.handshake(self._where.timeout)
        except BaseException:
            await link.close()
            raise
        return link

    async def _done(self, link: Link) -> None:
        self._notices += [one_line(one.description) for one in link.notices]
        await link.close()

    async def _call(self, request: Request) -> Heard:
        # Each on a connection of its own: one that a peer closes costs no other.
        link = await self._ready()
        try:
            heard = await link.call(request, self._where.timeout)
        finally:
            await self._done(link)
        if (
            heard.kind == "error"
            and heard.code == wire.ErrorCode.DECLINED
            and (_DRAINING in heard.text)
        ):
            self._notices.append(one_line(heard.text))
        return heard


def _now() -> float:
    return asyncio.get_running_loop().time()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _is_heard(heard: Heard) -> bool:
    """Whether the call was understood, even if it was refused."""
    if heard.kind == "answer":
        return True
    return heard.kind == "error" and heard.code not in {
        wire.ErrorCode.FATAL,
        wire.ErrorCode.TIMEOUT,
        wire.ErrorCode.CANCELLED,
    }


def _said(heard: Heard) -> str:
    if heard.kind == "silence":
        return "no answer"
    if heard.kind == "closed":
        return f"it closes the connection{f': {heard.text}' if heard.text else ''}"
    if heard.kind == "error":
        return f"{wire.error_name(heard.code)}, {one_line(heard.text)!r}"
    return "answered"


def _is_ipv4(host: str) -> bool:
    try:
        return isinstance(ipaddress.ip_address(host), ipaddress.IPv4Address)
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
