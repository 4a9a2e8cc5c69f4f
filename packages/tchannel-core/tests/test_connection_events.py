"""Events of connections and peers, told to the same hooks as those of calls."""

import asyncio
import socket

import pytest

from tchannel import TChannel, errors
from tchannel.event import EventHook
from tchannel.options import Options


class Seen(EventHook):
    """Writes down what is told of connections and peers."""

    def __init__(self):
        self.events = []

    def on_connection_opened(self, connection):
        self.events.append(("opened", connection.direction, connection.address))

    def on_connection_closed(self, connection, reason):
        self.events.append(("closed", connection.direction, reason))

    def on_handshake_failed(self, address, reason):
        self.events.append(("handshake failed", address, reason))

    def on_peer_penalised(self, hostport, seconds):
        self.events.append(("penalised", hostport, seconds))

    def on_peer_forgiven(self, hostport):
        self.events.append(("forgiven", hostport))

    def on_peer_draining(self, connection, reason):
        self.events.append(("peer draining", connection.address, reason))

    def on_draining(self, channel):
        self.events.append(("draining", channel.name))

    def on_limit_reached(self, name, limit):
        self.events.append(("limit", name, limit))

    def kinds(self):
        return [event[0] for event in self.events]


def watched(channel):
    return channel.hooks.register(Seen())


async def test_a_connection_is_told_at_both_ends_when_it_opens_and_closes(clock, join, settle):
    client, server = TChannel("client", clock=clock), TChannel("server", clock=clock)
    mine, theirs = watched(client), watched(server)
    to_server, _ = join(client, server, "127.0.0.1:1")
    await settle()
    assert mine.events == [("opened", "outgoing", "127.0.0.1:1")]
    assert theirs.kinds() == ["opened"]

    to_server.abort()
    await settle()

    assert mine.events[1] == ("closed", "outgoing", "closed by the peer")
    assert theirs.events[1][:2] == ("closed", "incoming")
    await asyncio.gather(client.close(grace=0), server.close(grace=0))


async def test_a_channel_that_drains_says_so_and_its_peer_hears_it(clock, join, settle):
    client, server = TChannel("client", clock=clock), TChannel("server", clock=clock)
    mine, theirs = watched(client), watched(server)
    join(client, server, "127.0.0.1:1")
    await settle()

    await server.close()
    await settle()

    assert theirs.events[1] == ("draining", "server")
    assert mine.events[1][:2] == ("peer draining", "127.0.0.1:1")
    assert "closed" in mine.kinds()
    await client.close(grace=0)


async def test_a_peer_that_is_not_there_is_told_with_the_reason_and_its_penalty(tcp):
    client = tcp("client", known_peers=["127.0.0.1:1"])
    seen = watched(client)
    with pytest.raises(errors.TChannelError):
        await client.raw("svc", "echo", b"", retry_on="n")

    (kind, address, reason), (penalised, hostport, seconds) = seen.events
    assert (kind, address) == ("handshake failed", "127.0.0.1:1")
    assert "refused" in reason
    assert (penalised, hostport) == ("penalised", "127.0.0.1:1")
    assert 0 < seconds <= 0.5
    assert client.stats().handshakes_failed == {"incoming": 0, "outgoing": 1}


async def test_a_busy_peer_is_penalised_and_forgiven_with_its_first_success(joined, settle):
    answers = iter([errors.BusyError("no"), b"yes"])

    @joined.server.raw.register("moody")
    def moody(request):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    joined.client.peers.add(joined.hostport)
    seen = watched(joined.client)
    with pytest.raises(errors.BusyError):
        await joined.client.raw("server", "moody", b"", retry_on="n")
    await joined.client.raw("server", "moody", b"", retry_on="n")

    assert seen.kinds() == ["penalised", "forgiven"]
    assert seen.events[1] == ("forgiven", joined.hostport)


async def test_one_who_speaks_something_else_has_failed_its_handshake(tcp, settle):
    server = tcp("svc", hostport="127.0.0.1:0")
    seen = watched(server)
    server.listen()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()

    assert [event[0] for event in seen.events] == ["handshake failed"]
    assert "HTTP" in seen.events[0][2]
    assert server.stats().handshakes_failed["incoming"] == 1


async def test_a_health_check_that_says_nothing_is_no_failure(tcp, settle):
    server = tcp("svc", hostport="127.0.0.1:0")
    seen = watched(server)
    server.listen()
    with socket.create_connection((server.host, server.port)):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)

    assert seen.events == []


async def test_a_limit_that_is_reached_is_told_by_its_name_and_counted(clock, join, settle):
    client = TChannel("client", clock=clock)
    server = TChannel("server", clock=clock, options=Options(max_calls=1))
    seen = watched(server)
    join(client, server, "127.0.0.1:1")

    @server.raw.register("never")
    async def never(request):
        await asyncio.get_running_loop().create_future()

    await settle()
    first = client.raw("server", "never", b"", hostport="127.0.0.1:1")
    await settle()
    with pytest.raises(errors.BusyError):
        await client.raw("server", "never", b"", hostport="127.0.0.1:1", retry_on="n")

    assert ("limit", "max_calls", 1) in seen.events
    assert server.stats().limits_reached == {"max_calls": 1}
    first.cancel()
    await asyncio.gather(client.close(grace=0), server.close(grace=0))


async def test_a_hook_that_fails_harms_no_connection(clock, join, settle, caplog):
    client, server = TChannel("client", clock=clock), TChannel("server", clock=clock)

    @server.hooks.on_connection_opened
    def fail(connection):
        raise KeyError("no")

    join(client, server, "127.0.0.1:1")
    server.raw.register("echo", lambda request: request.body)
    await settle()

    assert (await client.raw("server", "echo", b"x", hostport="127.0.0.1:1")).body == b"x"
    assert "failed at on_connection_opened" in caplog.text
    await asyncio.gather(client.close(grace=0), server.close(grace=0))
