"""What code written for tchannel-python 2.1.0 relies on besides the names: defaults, errors, old habits."""

import struct
import subprocess
import sys
import textwrap

import pytest

import tchannel
from tchannel import TChannel, errors, request, response, schemes, sync
from tchannel.event import EventType


def run(code):
    """Run a script in a process of its own; return what it prints."""
    script = "import asyncio, tornado.ioloop\nfrom tchannel import TChannel, interceptors\n"
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# -- names and defaults -----------------------------------------------------------------------


def test_the_default_scheme_is_raw():
    assert schemes.DEFAULT == "raw"
    assert schemes.DEFAULT_NAMES == ("raw", "json", "thrift")


@pytest.mark.parametrize("headers", [request.TransportHeaders, response.TransportHeaders])
def test_transport_headers_are_those_of_raw_unless_said_otherwise(headers):
    assert headers().scheme == "raw"
    assert headers().to_dict() == {"as": "raw"}
    assert headers.from_dict({}).scheme is None
    assert headers(scheme="json").to_dict() == {"as": "json"}


def test_transport_headers_are_there_where_nothing_was_said():
    """They were None: docs/migration.md."""
    assert tchannel.Request().transport.caller_name is None
    assert tchannel.Response().transport.to_dict() == {}


def test_a_sync_channel_has_a_channel_and_is_none():
    channel = sync.TChannel("name")

    assert not isinstance(channel, TChannel)
    assert isinstance(channel.channel, TChannel)


def test_calls_are_not_traced_unless_asked_for():
    assert TChannel("name").trace is False
    assert TChannel("name", trace=True).trace is True


async def test_a_request_has_the_transport_of_the_guide(joined):
    seen = []
    joined.server.raw.register("look", lambda request: seen.append(request.transport))

    await joined.client.raw("server", "look", hostport=joined.hostport, timeout=2)

    assert (seen[0].ttl, seen[0].flags) == (2000, 0)
    assert seen[0].headers["cn"] == seen[0].caller_name == "client"


# -- errors and attempts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [errors.FatalProtocolError, errors.ReadError, errors.InvalidChecksumError]
)
async def test_a_handler_that_raises_a_fatal_error_ends_its_call_and_no_connection(joined, error):
    def fail(request):
        raise error("no")

    joined.server.raw.register("fail", fail)

    with pytest.raises(errors.UnexpectedError) as caught:
        await joined.client.raw("server", "fail", hostport=joined.hostport)

    assert caught.value.code == errors.UNEXPECTED_ERROR
    assert not joined.to_server.closing


async def test_busy_peers_are_asked_again_after_the_others_up_to_five_times(tcp):
    asked, told = [], []

    def busy(request):
        asked.append(request.connection.channel.public)
        raise errors.BusyError("full")

    servers = [tcp(f"server-{n}", hostport="127.0.0.1:0") for n in range(3)]
    for server in servers:
        server.raw.register("work", busy)
        server.listen()
    client = tcp("client", known_peers=[server.hostport for server in servers])
    client.hooks.register(
        lambda request, error: told.append("attempt"), EventType.after_receive_error
    )
    client.hooks.register(lambda request, error: told.append("call"), EventType.on_exception)

    with pytest.raises(errors.BusyError) as caught:
        await client.raw("service", "work")

    assert caught.value.attempts == len(asked) == 5
    assert set(asked[:3]) == set(servers)
    assert told == ["attempt"] * 5 + ["call"]


# -- Meta without Thrift ----------------------------------------------------------------------


@pytest.mark.parametrize("service", ["server", "tchannel", "other"])
async def test_every_server_tells_its_version(joined, service):
    joined.server.service("other")
    answer = await joined.client.call(
        "thrift", service, "Meta::versionInfo", b"\0\0", b"\0", hostport=joined.hostport
    )

    told = read_strings(answer.body)
    assert told == ["python", sys.version.split()[0], tchannel.__version__]


def read_strings(body):
    """Read a result whose success is a struct of strings."""
    assert body.startswith(b"\x0c\x00\x00")
    position, found = 3, []
    while body[position]:
        kind, number, size = struct.unpack_from(">bhi", body, position)
        assert (kind, number) == (11, len(found) + 1)
        position += 7
        found.append(body[position : position + size].decode())
        position += size
    assert body[position:] == b"\0\0"
    return found


# -- peers that refuse ------------------------------------------------------------------------


@pytest.mark.parametrize("peers", [["127.0.0.1:1"], ["127.0.0.1:1", "127.0.0.1:2"]])
async def test_where_no_known_peer_can_be_reached_there_is_none(tcp, peers):
    client = tcp("client", known_peers=peers)

    with pytest.raises(errors.NoAvailablePeerError, match="cannot connect to") as caught:
        await client.raw("server", "endpoint", retry_limit=2)

    assert isinstance(caught.value.__cause__, errors.NetworkError)
    assert caught.value.attempts == 3
    assert caught.value.peer in peers


async def test_a_peer_that_was_named_is_not_reached_by_a_network_error(tcp):
    with pytest.raises(errors.NetworkError, match="cannot connect"):
        await tcp("client").raw("server", "endpoint", hostport="127.0.0.1:1")


async def test_a_call_that_one_peer_has_refused_ends_with_the_last_error(tcp):
    server = tcp("server", hostport="127.0.0.1:0")

    @server.raw.register
    def busy(request):
        raise errors.BusyError("later")

    server.listen()
    client = tcp("client", known_peers=[server.hostport, "127.0.0.1:1"])

    with pytest.raises(errors.TChannelError) as caught:
        await client.raw("server", "busy", retry_limit=1)

    assert not isinstance(caught.value, errors.NoAvailablePeerError)


# -- before the loop runs ---------------------------------------------------------------------

INTERCEPTORS = {
    "answering": "lambda call, proceed: interceptors.Reply(0, b'', b'mine')",
    "passing on": "lambda call, proceed: proceed(call)",
    "watching": "watching",
    "coroutine": "waiting",
}


@pytest.mark.parametrize("kind", INTERCEPTORS)
@pytest.mark.parametrize("number", [1, 2])
def test_an_intercepted_call_may_be_made_before_the_loop_runs(kind, number):
    printed = run(f"""
        def watching(call, proceed):
            future = proceed(call)
            future.add_done_callback(lambda _: None)
            return future

        async def waiting(call, proceed):
            return await proceed(call)

        server, client = TChannel("server"), TChannel("client")
        server.raw.register("echo", lambda request: request.body)
        server.listen()
        client.interceptors.outgoing.extend([{INTERCEPTORS[kind]}] * {number})
        call = client.raw("server", "echo", b"mine", hostport=server.hostport)

        async def main():
            print((await call).body)
            await client.close()
            await server.close()

        loop = tornado.ioloop.IOLoop.current()
        loop.run_sync(main)
        loop.close(all_fds=True)
    """)
    assert printed == "b'mine'\n"


@pytest.mark.parametrize(("timeout", "error"), [(0.3, "TimeoutError"), (8, "NetworkError")])
def test_a_call_to_a_server_whose_loop_does_not_run_says_so(timeout, error):
    printed = run(f"""
        from tchannel import Options

        server = TChannel("sleepy")
        server.raw.register("echo", lambda request: request.body)
        server.listen()

        async def main():
            async with TChannel("client", options=Options(handshake_timeout=0.6)) as client:
                try:
                    await client.raw("s", "echo", hostport=server.hostport, timeout={timeout})
                except Exception as error:
                    print(type(error).__name__, error)

        asyncio.run(main())
        server.close()
    """)
    assert printed.startswith(error)
    assert "channel sleepy of this process listens there" in printed
    assert "call its listen() inside main()" in printed


def test_a_server_that_is_served_is_no_excuse():
    """The hint names channels without a running loop alone."""
    from tchannel._links.listener import name_of_unserved

    channel = TChannel("server", hostport="127.0.0.1:0")
    channel.listen()
    try:
        assert name_of_unserved(channel.hostport) == "server"
        assert name_of_unserved("127.0.0.1:1") is None
    finally:
        channel.close()
    assert name_of_unserved(channel.hostport) is None
