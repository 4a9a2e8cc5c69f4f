"""Log records say whose connection, call or request they are about, each line of them."""

import ast
import asyncio
import logging
import socket
from pathlib import Path

import pytest

import tchannel
import tchannel_wire as wire
from tchannel import errors
from tchannel._ground.log_fields import fields_of, log_fields
from tchannel.event import EventType
from tchannel.lowlevel import inside
from tchannel.options import Options

HERE = "127.0.0.1:1"

# Lines that are about no peer: file and the beginning of the text.
ABOUT_NO_PEER = {
    ("closing.py", "%r failed while %s closes"),
    ("listener.py", "%s listens on %s"),
    ("listener.py", "%s listens on %s, but its event loop"),
    ("binding.py", "not listening on IPv6"),
    ("tls.py", "%r cannot be used, the former stay"),
    ("tls.py", "%r were read again"),
    ("streaming.py", "a callback at the end of a streamed body failed"),
    ("timeouts.py", "%s=%d: the unit is seconds"),
    ("statsd.py", "statsd takes no metrics: %s; they are left out until it does"),
    ("statsd.py", "statsd takes metrics again; %d were left out"),
}


@pytest.fixture(autouse=True)
def every_level(caplog):
    caplog.set_level(logging.DEBUG, logger="tchannel")


@pytest.fixture
def line(caplog):
    """A function that gives the one record whose text begins so, and its four fields."""

    def find(beginning):
        (record,) = [one for one in caplog.records if one.getMessage().startswith(beginning)]
        fields = (record.peer, record.service, record.endpoint, record.message_id)
        return record.getMessage(), fields

    return find


@pytest.fixture
async def pair(clock, make_channel, join, settle):
    """Client and server joined in memory, whose messages may have 100 kB."""
    options = Options(max_message_size=100_000)
    client = make_channel("client", options=options)
    server = make_channel("server", options=options)
    ends = join(client, server, HERE)
    await settle()
    yield client, server, *ends
    closing = [channel.close(grace=1) for channel in (client, server)]
    for _ in range(10):
        await clock.advance(1)
    await asyncio.gather(*closing)


def test_what_a_line_does_not_know_is_none():
    assert log_fields("a:1") == {
        "peer": "a:1",
        "service": None,
        "endpoint": None,
        "message_id": None,
        "announced": None,
        "trace_id": None,
    }
    assert fields_of(None) == log_fields()


def test_the_fields_of_an_error_are_taken_from_it():
    error = errors.BusyError("no", id=7, peer="a:1", service="s", endpoint="e")

    assert fields_of(error) == log_fields("a:1", "s", "e", 7)


def test_each_log_call_of_the_package_says_whom_it_is_about():
    silent = set()
    package = Path(tchannel.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
                and node.func.attr != "isEnabledFor"
                and not any(keyword.arg == "extra" for keyword in node.keywords)
            ):
                text = next(
                    arg.value
                    for arg in node.args
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                )
                silent.add((path.name, text))

    unknown = {
        (file, text)
        for file, text in silent
        if not any(file == name and text.startswith(begin) for name, begin in ABOUT_NO_PEER)
    }
    assert unknown == set()
    assert len(silent) == len(ABOUT_NO_PEER)


async def test_a_handler_that_fails(pair, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address

    @server.raw.register
    def fail(request):
        raise ValueError("no")

    with pytest.raises(errors.UnexpectedError) as caught:
        await client.raw("server", "fail", hostport=HERE)
    text, fields = line("handler of fail failed")
    assert fields == (caller, "server", "fail", caught.value.id)
    assert caller in text
    assert f"message {caught.value.id}" in text


async def test_an_interceptor_that_fails(pair, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address

    def fail(call, proceed):
        raise ValueError("no")

    server.interceptors.incoming.append(fail)
    server.raw.register("echo", lambda request: b"")
    with pytest.raises(errors.UnexpectedError) as caught:
        await client.raw("server", "echo", hostport=HERE)
    text, fields = line("an interceptor of echo failed")
    assert fields == (caller, "server", "echo", caught.value.id)
    assert "service server" in text


async def test_a_call_that_no_handler_gets_to_see(pair, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address

    with pytest.raises(errors.BadRequestError) as caught:
        await client.raw("server", "nothing", hostport=HERE)
    text, fields = line("refused call")
    assert fields == (caller, "server", "nothing", caught.value.id)
    assert str(caught.value.id) in text


async def test_a_call_that_is_too_large(pair, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address

    with pytest.raises(errors.BadRequestError) as caught:
        await client.raw("server", "echo", b"x" * 100_001, hostport=HERE)
    _, fields = line("bad call")
    assert fields == (caller, "server", "echo", caught.value.id)


async def test_an_answer_that_is_too_large(pair, line):
    client, server, *_ = pair
    seen = []

    @server.raw.register
    def big(request):
        seen.append(request.id)
        return b"x" * 100_001

    with pytest.raises(errors.FatalProtocolError):
        await client.raw("server", "big", hostport=HERE)
    _, fields = line("bad answer")
    assert fields == (HERE, "server", "big", seen[0])


def hang_on(server):
    """Let ``hang`` never answer; returns the ids of its calls."""
    seen = []

    @server.raw.register
    async def hang(request):
        seen.append(request.id)
        await asyncio.Event().wait()

    return seen


async def test_a_call_whose_time_is_up(pair, clock, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address
    seen = hang_on(server)
    call = client.raw("server", "hang", hostport=HERE, timeout=1)
    await clock.advance(0)
    pair[2].cut = True  # the client does not get to say so first
    await clock.advance(2)
    assert isinstance(call.exception(), errors.TimeoutError)
    text, fields = line(f"call {seen[0]} from {caller}")
    assert fields == (caller, "server", "hang", seen[0])
    assert "ran out of time" in text


async def test_a_call_that_its_caller_cancels(pair, clock, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address
    seen = hang_on(server)
    call = client.raw("server", "hang", hostport=HERE)
    await clock.advance(0)
    call.cancel()
    await clock.advance(0)
    text, fields = line(f"call {seen[0]} from {caller}")
    assert fields == (caller, "server", "hang", seen[0])
    assert text.endswith("was cancelled: cancelled by the caller")


async def test_an_attempt_that_is_followed_by_another(pair, clock, line):
    client, server, *_ = pair
    seen = []

    @server.raw.register
    def busy(request):
        seen.append(request.id)
        raise errors.BusyError("not now")

    call = client.raw("server", "busy", hostport=HERE, retry_limit=1)
    await clock.advance(5)
    assert isinstance(call.exception(), errors.BusyError)
    text, fields = line("attempt 1 of")
    assert fields == (HERE, "server", "busy", seen[0])
    assert f"at {HERE} failed" in text


async def test_a_peer_that_drains(pair, clock, line):
    _, server, *_ = pair
    closing = server.close(grace=5)
    await clock.advance(0)

    _, fields = line(f"{HERE} is draining")
    assert fields == (HERE, None, None, None)
    await clock.advance(10)
    await closing


async def test_a_connection_that_breaks_the_protocol(pair, clock, line):
    _, server, to_server, _ = pair
    caller = next(iter(inside(server).connections)).address
    to_server.write(bytes(16))
    await clock.advance(0)

    _, fields = line(f"connection from {caller} ended: ")
    assert fields == (caller, None, None, None)


async def test_a_connection_that_one_message_ends(pair, clock, line):
    _, server, *_ = pair
    connection = next(iter(inside(server).connections))
    error = wire.ProtocolError("no sense", code=wire.ErrorCode.FATAL, message_id=7)
    connection.handle([wire.ConnectionClosed(error, [], [])])
    await clock.advance(0)

    text, fields = line(f"connection from {connection.address} ended")
    assert fields == (connection.address, None, None, 7)
    assert "no sense (message 7)" in text


async def test_a_frame_that_asks_for_nothing(pair, clock, line):
    client, *_ = pair
    connection = next(iter(inside(client).connections))
    ping = connection.wire.ping(clock.time())
    connection.flush_soon()
    await clock.advance(0)

    _, fields = line(f"{HERE}: PongReceived")
    assert fields == (HERE, None, None, ping)


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_a_hook_that_fails(pair, clock, line, kind):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address
    seen = []

    def plain(request):
        seen.append(request.id)
        raise ValueError("no")

    async def coroutine(request):
        plain(request)

    server.raw.register("echo", lambda request: b"ok")
    server.hooks.register(
        {"plain": plain, "coroutine": coroutine}[kind], EventType.after_receive_request
    )
    assert (await client.raw("server", "echo", hostport=HERE)).body == b"ok"
    await clock.advance(0)
    _, fields = line("hook ")
    assert fields == (caller, "server", "echo", seen[0])


async def test_the_hook_of_an_outgoing_call_that_fails(pair, line):
    client, server, *_ = pair

    @client.hooks.before_send_request
    def fail(request):
        raise ValueError("no")

    server.raw.register("echo", lambda request: b"ok")
    await client.raw("server", "echo", hostport=HERE)
    _, fields = line("hook ")
    assert fields == (None, "server", "echo", None)


class StubbornBody:
    """A body that cannot be closed."""

    def __init__(self):
        self.chunks = [b"a", b"b"]

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.chunks:
            raise StopAsyncIteration
        return self.chunks.pop(0)

    async def aclose(self):
        raise ValueError("no")


async def test_the_body_of_a_call_that_cannot_be_closed(pair, clock, line):
    client, server, *_ = pair
    seen = []

    @server.raw.register
    def put(request):
        seen.append(request.id)
        return b"ok"

    assert (await client.raw("server", "put", StubbornBody(), hostport=HERE)).body == b"ok"
    await clock.advance(0)
    text, fields = line("closing the body")
    assert fields == (HERE, "server", "put", seen[0])
    assert HERE in text


async def test_the_body_of_an_answer_that_cannot_be_closed(pair, clock, line):
    client, server, *_ = pair
    caller = next(iter(inside(server).connections)).address
    seen = []

    @server.raw.register
    def get(request):
        seen.append(request.id)
        return StubbornBody()

    assert (await client.raw("server", "get", hostport=HERE)).body == b"ab"
    await clock.advance(0)
    _, fields = line("closing the body")
    assert fields == (caller, "server", "get", seen[0])


async def test_a_peer_that_cannot_be_reached(tcp, line):
    with socket.socket() as bound:  # bound and not listening: nobody else gets the port
        bound.bind(("127.0.0.1", 0))
        hostport = f"127.0.0.1:{bound.getsockname()[1]}"
        client = tcp("client", known_peers=[hostport])
        with pytest.raises(errors.NoAvailablePeerError):
            await client.raw("server", "echo", retry_limit=0)

    for beginning in (f"cannot connect to {hostport}", f"{hostport} is chosen last"):
        _, fields = line(beginning)
        assert fields == (hostport, None, None, None)


async def test_a_call_whose_caller_gave_up_while_writing_it_is_no_warning(pair, clock, caplog):
    # tchannel-go then stops in the middle of the message, and sends no cancel.
    client, server, *_ = pair
    server.raw.register("e", lambda request: b"")
    caplog.set_level(logging.INFO)

    async def body():
        yield b"x" * 50_000
        await asyncio.Event().wait()

    call = client.raw("server", "e", body(), hostport=HERE, timeout=1)
    await clock.advance(0)
    pair[2].cut = True
    await clock.advance(2)

    assert isinstance(call.exception(), errors.TimeoutError)
    (record,) = [record for record in caplog.records if "before the request was" in record.message]
    assert record.levelno == logging.INFO
