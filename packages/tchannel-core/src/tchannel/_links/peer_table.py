"""Every peer that a channel has to do with, and their connections.

A call to an address leaves over a connection that we opened to that address. Who connected to us is
called back under its socket's address alone, and only while nothing was opened to that address: what
it says of itself in the handshake is a claim, and chooses no route unless
``Options(trust_announced_addresses=True)``.

Known peers stay. Others (callers that connected to us, addresses given as ``hostport=``) are dropped
with their last connection, and never take part in the choice.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import nullcontext
from contextvars import Context
from typing import TYPE_CHECKING, Unpack

from .._ground.addresses import UNIX_CALLER, UNIX_PREFIX, parse_hostport
from .._ground.log_fields import log_fields
from .._ground.logs import logger
from .._ground.tasks import start_task
from ..errors import NetworkError
from .connection import Connection
from .dialling import open_socket
from .first_bytes import FirstBytes, misfits, reason_of_failure
from .keepalive import Keepalive
from .listener import name_of_unserved
from .peers import Peer, PeerGroup
from .sockets import handed_over
from .tls import ConnectingArguments, telling_why
from .tls_names import bears_name, is_uri

if TYPE_CHECKING:
    from .._inner_channel import InnerChannel

__all__ = ["PeerTable"]

log = logger("tchannel.peers")


class PeerTable:
    """Peers by address.

    Args:
        channel: whose peers they are.

    """

    __slots__ = ("_channel", "callers", "group", "keepalive", "peers")

    def __init__(self, channel: InnerChannel) -> None:
        self._channel = channel
        self.peers: dict[str, Peer] = {}
        """Those that we connect to, by the address that is connected to."""
        self.callers: dict[str, Peer] = {}
        """Those that connected to us, by the addresses of their sockets; none without a connection."""
        self.group: PeerGroup = PeerGroup(
            channel.options, self.to_connect, self.connect, self._retire
        )
        self.keepalive: Keepalive = Keepalive(channel, self)
        self.group.belong_to(channel)

    def __len__(self) -> int:
        return len(self.peers) + len(self.callers)

    def renewed(self) -> PeerTable:
        """Return a table of the same known peers without their connections, for a forked child."""
        table = PeerTable(self._channel)
        table.group.add_all(self.group)
        return table

    def get(self, hostport: str) -> Peer:
        """Return the peer to call at an address: one to connect to, unless it is a caller's socket's.

        Raises:
            ValueError: ``hostport`` is no address.

        """
        peer = self.peers.get(hostport)
        if peer is None:
            peer = self.callers.get(hostport)
            if peer is None:
                peer = self.to_connect(hostport)
        return peer

    def to_connect(self, hostport: str) -> Peer:
        """Return the peer that is connected to at an address, made when there is none.

        Raises:
            ValueError: ``hostport`` is no address.

        """
        peer = self.peers.get(hostport)
        if peer is None:
            parse_hostport(hostport)
            peer = self.peers[hostport] = Peer(hostport)
        return peer

    # -- connections that come and go ---------------------------------------------------------

    def connection_ready(self, connection: Connection) -> None:
        """Use a connection whose handshake is done: as the one that was opened, or to call back."""
        peer = connection.peer
        if peer is not None:
            peer.connecting = None
            self.keepalive.watch(connection)
            self._use(peer, connection)
            return
        address = connection.address
        peer = self.callers.get(address)
        if peer is None:
            peer = self.callers[address] = Peer(address)
        connection.peer = peer
        peer.connections.append(connection)
        if self._channel.options.trust_announced_addresses:
            claimed = connection.announced
            if claimed is not None and self._may_claim(connection, claimed):
                self._use(self.to_connect(claimed), connection)

    def _may_claim(self, connection: Connection, hostport: str) -> bool:
        """Say whether a caller may be taken for the peer at the address that it announced.

        Where TLS proves who is connected to, a caller's certificate has to prove as much.
        """
        if self._channel.tls_client is None:
            return True
        peer = self.peers.get(hostport)
        name = self._server_name(peer) or parse_hostport(hostport)[0]
        return bears_name(connection.certificate, name)

    def _server_name(self, peer: Peer | None) -> str | None:
        return (peer.server_name if peer is not None else None) or self._channel.server_name

    def _use(self, peer: Peer, connection: Connection) -> None:
        peer.connections.append(connection)
        peer.misfit = None
        if peer.group is not None:
            peer.group.forgive(peer)
            peer.group.file(peer)
        waiters, peer.waiters = list(peer.waiters), {}
        for waiter in waiters:
            waiter.on_connected(connection)

    def connection_gone(self, connection: Connection) -> None:
        """Do not use a connection for further calls: it is closed, or its peer is draining."""
        self._use_no_more(connection.peer, connection)
        if not connection.opener and self._channel.options.trust_announced_addresses:
            self._use_no_more(self.peers.get(connection.announced or ""), connection)

    def _use_no_more(self, peer: Peer | None, connection: Connection) -> None:
        if peer is not None and connection in peer.connections:
            peer.connections.remove(connection)
            if not peer.connections and peer.group is not None:
                peer.group.file(peer)
            self.drop_unused(peer)

    def silent(self, connection: Connection) -> None:
        """Nothing comes of a connection: calls go over another, and to other peers first."""
        self.connection_gone(connection)
        self.penalise(connection)

    def penalise(self, connection: Connection) -> None:
        """Choose the peer of a connection last for a while."""
        peer = connection.peer
        if peer is not None and peer.group is not None:
            peer.group.penalise(peer, self._channel.timers.time())

    def heard_again(self, connection: Connection) -> None:
        """It was only slow: use it again, unless another has taken its place."""
        peer = connection.peer
        if peer is None or connection.closed or connection.peer_draining:
            return
        known = self.peers if connection.opener else self.callers
        if known.setdefault(peer.hostport, peer) is not peer or peer.connections:
            connection.close_when_idle()
        else:
            self._use(peer, connection)

    def connect_failed(self, peer: Peer, error: BaseException) -> None:
        """Tell the calls that wait for a connection to ``peer`` that it did not come about."""
        tls = self._channel.tls_client is not None
        reason = reason_of_failure(error, tls=tls) + self.unserved(peer)
        channel = self._channel
        channel.faults.log(
            channel.timers,
            log,
            logging.INFO,
            "cannot connect to %s: %s",
            peer.hostport,
            reason,
            extra=log_fields(peer.hostport),
        )
        channel.handshake_failed("outgoing", peer.hostport, reason)
        peer.connecting = None
        peer.misfit = reason if misfits(error) else None
        if peer.group is not None and not peer.connections:
            peer.group.penalise(peer, self._channel.timers.time())
        waiters, peer.waiters = list(peer.waiters), {}
        for waiter in waiters:
            waiter.on_connect_failed(NetworkError(f"cannot connect to {peer.hostport}: {reason}"))
        self.drop_unused(peer)

    def unserved(self, peer: Peer) -> str:
        """Say so, for an error's text, if ``peer`` is in this process and nobody serves it."""
        name = name_of_unserved(peer.hostport)
        if name is None:
            return ""
        return (
            f"; channel {name} of this process listens there, but its event loop does not run:"
            " call its listen() inside main(), or start the loop"
        )

    def drop_unused(self, peer: Peer) -> None:
        """Forget a peer that nobody told us of and nobody uses."""
        if peer.group or peer.connections:
            return
        if self.callers.get(peer.hostport) is peer:
            # Its calls in flight, if any, end with their connections.
            del self.callers[peer.hostport]
        elif not (peer.connecting or peer.waiters or peer.pending):
            self.peers.pop(peer.hostport, None)

    def _retire(self, peer: Peer) -> None:
        for connection in list(peer.connections):
            if connection.opener:
                connection.close_when_idle()
        self.drop_unused(peer)

    def renew(self, peer: Peer) -> bool:
        """Use no more the connections to ``peer`` that announced another address than ours is now.

        Such connections were opened before the channel listened. They are closed once their calls
        are answered.

        Returns:
            Whether that is done; False while such a connection is still in its handshake.

        """
        channel = self._channel
        address = channel.advertised_hostport(opener=True)
        done = True
        for connection in list(channel.connections):
            if connection.opener and connection.peer is peer and connection.told != address:
                if connection in peer.connections:
                    self.connection_gone(connection)
                    connection.close_when_idle()
                elif not connection.ready and not connection.closed:
                    done = False
        return done

    def clear(self) -> None:
        """Forget all connections, as a channel does that moves to another loop."""
        self.callers.clear()
        self.keepalive.drop()
        for peer in list(self.peers.values()):
            peer.connections.clear()
            peer.connecting = None
            peer.waiters.clear()
            peer.pending = 0
            if peer.group is not None:
                peer.group.file(peer)
            else:
                del self.peers[peer.hostport]

    async def stop_connecting(self) -> None:
        """Fail the calls that still wait for a connection, and end its making: the channel closes."""
        cancelled = []
        for peer in list(self.peers.values()):
            if peer.connecting is not None:
                peer.connecting.cancel()
                cancelled.append(peer.connecting)
                self.connect_failed(peer, ConnectionAbortedError("the channel is closed"))
        await asyncio.gather(*cancelled, return_exceptions=True)

    # -- connecting ---------------------------------------------------------------------------

    def connect(self, peer: Peer) -> None:
        """Open a connection to ``peer`` unless that is being done already."""
        if peer.connecting is None:
            # In an empty context: a connection opened inside a handler would otherwise keep that
            # handler's context for life.
            peer.connecting = start_task(self._channel.loop, self._connect(peer), Context())

    async def _connect(self, peer: Peer) -> None:
        channel = self._channel
        clock = channel.timers.clock
        task = asyncio.current_task()
        assert task is not None
        timed_out = False

        def give_up() -> None:
            nonlocal timed_out
            timed_out = True
            task.cancel()

        timeout = channel.options.connect_timeout
        timer = clock.call_at(clock.time() + timeout, give_up)
        connection = Connection(channel, peer)
        try:
            await self._open(peer, connection)
        except asyncio.CancelledError:
            connection.making_cancelled()
            if not timed_out:
                peer.connecting = None
                raise
            self.connect_failed(peer, TimeoutError(f"no connection within {timeout:g} s"))
        except Exception as error:
            # Whatever it is: a peer that counts as connecting for ever could never be called again.
            self.connect_failed(peer, error)
        finally:
            timer.cancel()
        # The handshake has a deadline of its own; its end, good or bad, is an event of the
        # connection, and until then the peer counts as connecting.

    async def _open(self, peer: Peer, connection: Connection) -> None:
        channel = self._channel
        loop = channel.loop
        host, _ = parse_hostport(peer.hostport)
        if host.startswith(UNIX_CALLER):
            # It is no name to be looked up.
            raise ConnectionResetError("that caller is gone, and its socket had no address")
        source = channel.tls_client
        if source is None:
            await _connect(loop, peer.hostport, FirstBytes(connection))
            return
        timeout = channel.options.connect_timeout
        tls: ConnectingArguments = {
            "ssl_handshake_timeout": timeout,
            "ssl_shutdown_timeout": timeout,
        }
        name = self._server_name(peer)
        now = channel.timers.time()
        unix = peer.hostport.startswith(UNIX_PREFIX)
        if name is not None and is_uri(name):
            protocol = FirstBytes(connection, name)
            tls["ssl"] = source.context_for_uris(now)
            tls["server_hostname"] = "" if unix else host
        else:
            protocol = FirstBytes(connection)
            tls["ssl"] = source.context(now)
            tls["server_hostname"] = name or ("" if unix else host)
        await _connect(loop, peer.hostport, protocol, **tls)
        if protocol.stranger is not None:
            raise ssl.CertificateError(protocol.stranger)


async def _connect(
    loop: asyncio.AbstractEventLoop,
    hostport: str,
    protocol: asyncio.Protocol,
    **tls: Unpack[ConnectingArguments],
) -> None:
    host, port = parse_hostport(hostport)
    if hostport.startswith(UNIX_PREFIX):
        await loop.create_unix_connection(lambda: protocol, host.removeprefix(UNIX_PREFIX), **tls)
        return
    connected = await open_socket(loop, host, port)
    try:
        with telling_why(connected) if tls else nullcontext():
            await loop.create_connection(lambda: protocol, sock=connected, **tls)
    finally:
        handed_over(connected)
