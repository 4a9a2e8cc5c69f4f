"""What tchannel 2.1.0 keeps to itself and the tests must reach: connections, checksums, advertising."""

import itertools
from datetime import timedelta

from tornado import gen

from tchannel.messages import PingRequestMessage, Types
from tchannel.tornado import hyperbahn, peer
from tchannel.tornado.connection import INCOMING
from tchannel.tornado.stream import InMemStream

_ARRIVAL = "fd"  # a transport header that handlers see and that no test sends
_arrivals = {}
_numbers = itertools.count()


def remember_arrivals(channel):
    """Let `arrival` find the low-level request and the connection of a handler's request.

    The library tells a handler neither; the one way through is a transport header.
    """
    dispatcher = channel._dep_tchannel._handler
    original = dispatcher.handle_call

    @gen.coroutine
    def handle_call(request, connection):
        number = str(next(_numbers))
        _arrivals[number] = (request, connection, dict(request.headers))
        request.headers = dict(request.headers, **{_ARRIVAL: number})
        try:
            result = yield original(request, connection)
        finally:
            del _arrivals[number]
        raise gen.Return(result)

    dispatcher.handle_call = handle_call


def arrival(request):
    """The (low-level request, connection, transport headers as received) behind a handler's request."""
    return _arrivals[request.transport.failure_domain]


def remote_address(connection):
    """The address that the other side announced."""
    return f"{connection.remote_host}:{connection.remote_host_port}"


def use_checksum(kind):
    """Make every call of this process carry the given checksum type; the library has no option."""
    original = peer.Request.__init__

    def __init__(self, *args, **kwargs):
        kwargs["checksum"] = (kind, 0)
        original(self, *args, **kwargs)

    peer.Request.__init__ = __init__


def _connections(channel):
    peers = channel._dep_tchannel.peers
    return [
        connection
        for one in list(peers._peers.values())
        for connection in list(one.connections)
        if not connection.closed
    ]


def open_connections(channel):
    return [
        {
            "direction": "in" if connection.direction is INCOMING else "out",
            "remote": remote_address(connection),
        }
        for connection in _connections(channel)
    ]


def drop_connections(channel):
    for connection in _connections(channel):
        connection.connection.close()


@gen.coroutine
def advertise_at_once(channel, routers):
    """Advertise without the delay of up to five seconds that the public method cannot switch off."""
    if not channel.is_listening():
        channel.listen()
    yield hyperbahn.advertise(
        channel._dep_tchannel, channel.name, routers=routers, timeout=5, jitter=0
    )


@gen.coroutine
def call_over(connection, service, caller, endpoint, head, body):
    """Make a raw call on the given connection, whichever side opened it."""
    request = peer.Request(
        service=service,
        argstreams=[InMemStream(part) for part in (endpoint, head, body)],
        id=connection.writer.next_message_id(),
        headers={"as": "raw", "cn": caller},
        endpoint=endpoint,
        ttl=5,
    )
    response = yield connection.send_request(request)
    answer_head = yield response.get_header()
    answer_body = yield response.get_body()
    raise gen.Return((answer_head, answer_body))


@gen.coroutine
def ping(channel, hostport):
    """Send a ping and wait for its answer; the library only sends, and drops what comes back."""
    connection = yield channel._dep_tchannel.peers.get(hostport).connect()
    factory = connection.response_message_factory
    build = factory.build
    factory.build = lambda m: m if m.message_type == Types.PING_RES else build(m)
    message = PingRequestMessage(id=connection.writer.next_message_id())
    pong = connection._outbound_pending_call[message.id] = gen.Future()
    connection.writer.put(message)
    yield gen.with_timeout(timedelta(seconds=5), pong)
