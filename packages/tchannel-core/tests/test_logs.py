"""Log lines: what peers send forges none, floods none; and those that an operator expects."""

import asyncio
import logging
import re
from pathlib import Path

import pytest

import tchannel
import tchannel_wire as wire
from tchannel import TChannel, errors
from tchannel._ground.logs import logger
from tchannel._ground.text import escaped, shown
from tchannel._links.faults import LINES, PERIOD, Faults
from tchannel._links.timers import Timers
from tchannel.lowlevel import inside

EVIL = "x\n2026-11-30 CRITICAL auth root logged in \x1b[2J\u202e" + "y" * 300
RAW = {"as": "raw", "cn": "evil"}
HERE = "127.0.0.1:1"


@pytest.fixture
def lines(caplog):
    """What is written, as a formatter writes it, of all levels."""
    caplog.set_level(logging.DEBUG, logger="tchannel")
    formatter = logging.Formatter("%(levelname)s %(name)s %(message)s")

    def written():
        return [formatter.format(record) for record in caplog.records]

    return written


# -- escaping ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "as_shown"),
    [
        ("plain ünïcödé \\", "plain ünïcödé \\"),
        ("a\nb\r\x1b[31m", r"a\nb\r\x1b[31m"),
        ("\u202e\ud800\0", r"\u202e\ud800\x00"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "..."),
        ("\n" * 200, r"\n" * 98 + "\\..."),
        ("x" * 1_000_000, "x" * 197 + "..."),
    ],
)
def test_what_is_not_printable_is_escaped_and_what_is_long_is_cut(text, as_shown):
    assert shown(text) == as_shown
    assert escaped(text).isprintable()


class Broken:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


def test_every_argument_and_attribute_of_a_line_is_seen_to(caplog):
    log = logger("tchannel.test")
    log.warning(
        "%s %r %d %.1f %s %s",
        EVIL,
        EVIL,
        7,
        0.5,
        ValueError(EVIL),
        Broken(),
        extra={"peer": EVIL, "service": EVIL, "endpoint": None, "message_id": 7},
    )
    log.warning("%(name)s", {"name": EVIL})
    log.warning("no arguments: 100%")

    first, second, third = caplog.records
    for record in caplog.records:
        assert record.getMessage().isprintable()
    assert len(first.getMessage()) < 3 * 200 + 50
    assert "'x\\n2026" in first.getMessage()
    assert first.getMessage().endswith(" <Broken>")
    assert first.peer.isprintable()
    assert len(first.peer) == 200
    assert (first.endpoint, first.message_id) == (None, 7)
    assert second.getMessage().startswith("x\\n2026")
    assert third.getMessage() == "no arguments: 100%"


def test_messages_in_tracebacks_are_escaped_too(caplog):
    log = logger("tchannel.test")
    try:
        try:
            raise KeyError(EVIL)
        except KeyError:
            raise ValueError(EVIL) from ExceptionGroup(EVIL, [OSError(EVIL)])
    except ValueError:
        log.exception("it failed")

    text = logging.Formatter().format(caplog.records[0])
    assert text.count("Traceback") == 1
    assert "test_logs.py" in text
    assert "ValueError: x\\n2026" in text
    assert not any(line.startswith("2026") for line in text.split("\n"))
    assert "\x1b" not in text
    assert caplog.records[0].exc_info is not None


def test_every_logger_of_the_package_is_one_of_ours():
    package = Path(tchannel.__file__).parent
    made = {path.name for path in package.rglob("*.py") if "logging.getLogger" in path.read_text()}
    assert made == {"logs.py"}


def test_the_text_of_an_error_is_one_line():
    error = errors.BusyError(EVIL, service=EVIL)

    assert str(error).isprintable()
    assert repr(error).isprintable()
    assert error.description == EVIL


# -- injection --------------------------------------------------------------------------------


def call(service="server", arg1=b"nothing", headers=RAW, ttl_ms=1000, arg3=b"", id=2):
    return wire.encode(
        wire.CallRequest(
            id=id, ttl_ms=ttl_ms, service=service, headers=headers, chunks=[arg1, b"", arg3]
        )
    )


def error_frame(code, text):
    return wire.encode(wire.ErrorMessage(id=wire.NO_MESSAGE_ID, code=code, description=text))


def handshake(host_port="0.0.0.0:0", process_name="by hand"):
    headers = {"host_port": host_port, "process_name": process_name}
    return wire.encode(wire.InitRequest(id=1, headers=headers))


EVIL_BYTES = EVIL.encode()

# What is sent after the connection is made, and whether the handshake comes first.
INJECTIONS = {
    "error before the handshake": [error_frame(wire.ErrorCode.FATAL, EVIL)],
    "fatal error": [handshake(), error_frame(wire.ErrorCode.FATAL, EVIL)],
    "notice": [handshake(), error_frame(wire.ErrorCode.UNEXPECTED, EVIL)],
    "draining": [handshake(), error_frame(wire.ErrorCode.DECLINED, "draining: " + EVIL)],
    "caller of a handler that fails": [
        handshake(),
        call(arg1=b"boom", headers={"as": "raw", "cn": EVIL[:200]}),
    ],
    "service of a handler that fails": [handshake(), call(EVIL[:200], b"boom")],
    "endpoint of a fallback that fails": [handshake(), call("other", EVIL_BYTES)],
    "what a handler says of its request": [handshake(), call(arg1=b"quote", arg3=EVIL_BYTES)],
    "endpoint": [handshake(), call(arg1=EVIL_BYTES)],
    "scheme": [handshake(), call(arg1=b"boom", headers={"as": EVIL[:200], "cn": "x"})],
    "service and endpoint of a bad call": [
        handshake(),
        call(EVIL[:200], EVIL_BYTES, ttl_ms=0),
    ],
    "huge endpoint": [handshake(), call(arg1=b"\x1b" * 16_000, ttl_ms=0)],
    "reason of a cancel": [
        handshake(),
        call(arg1=b"slow"),
        wire.encode(wire.Cancel(id=2, why=EVIL)),
    ],
    "claim": [handshake(), wire.encode(wire.Claim(id=7, ttl_ms=1))],
    "process name": [handshake(process_name=EVIL)],
    "huge process name": [handshake(process_name="\n" * 60_000)],
    "announced address": [handshake(host_port="1.2.3.4\nX:80")],
    "announced address that turns the writing": [handshake(host_port="\u202e1:80")],
    "huge announced address": [handshake(host_port="h" * 60_000 + ":80")],
}


@pytest.fixture
async def server(tcp):
    made = tcp("server", hostport="127.0.0.1:0")

    @made.raw.register
    def boom(request):
        raise ValueError("no")

    @made.raw.register
    def quote(request):
        raise ValueError(request.body.decode())

    @made.raw.register
    async def slow(request):
        await asyncio.sleep(5)

    @made.service("other").register(TChannel.FALLBACK)
    def fall(request):
        raise RuntimeError("no")

    made.listen()
    return made


async def send(server, *frames):
    """Send frames on a connection of its own, and close it when the server has nothing to do."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    for frame in frames:
        writer.write(frame)
    writer.write_eof()
    while await reader.read(65536):
        pass
    writer.close()
    await writer.wait_closed()
    while inside(server).connections:
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", INJECTIONS)
async def test_no_text_of_a_peer_is_written_as_it_came(server, lines, kind):
    await send(server, *INJECTIONS[kind])

    written = lines()
    assert written
    for line in written:
        message, *traceback = line.split("\n")
        assert message.isprintable()
        assert len(message) < 1_000
        assert not any(re.match("2026-11-30|.*\x1b", other) for other in traceback)


async def test_the_texts_of_a_server_are_not_written_as_they_came_either(tcp, lines):
    async def answer(reader, writer):
        await reader.readexactly(16)
        init = wire.InitResponse(
            id=1, headers={"host_port": "1.2.3.4:5", "process_name": EVIL, EVIL: EVIL}
        )
        writer.write(wire.encode(init))
        for code in (wire.ErrorCode.UNEXPECTED, wire.ErrorCode.DECLINED, wire.ErrorCode.FATAL):
            writer.write(error_frame(code, "draining: " + EVIL))
        await reader.read()
        writer.close()

    evil = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"127.0.0.1:{evil.sockets[0].getsockname()[1]}"
    with pytest.raises(errors.NetworkError) as raised:
        await tcp("client").raw("any", "thing", hostport=address, retry_limit=0)

    assert str(raised.value).isprintable()
    assert any("x\\n2026" in line for line in lines())
    assert all(line.isprintable() for line in lines())
    evil.close()
    await evil.wait_closed()


# -- a bounded rate ---------------------------------------------------------------------------


@pytest.fixture
def faults(clock):
    """A function that logs one fault of a peer, on the test's clock."""
    made, timers, log = Faults(), Timers(clock), logger("tchannel.test")

    def fault(peer=HERE, number=0, message="%s did it: %d", level=logging.WARNING):
        extra = {"peer": peer, "service": None, "endpoint": None, "message_id": None}
        made.log(timers, log, level, message, peer, number, extra=extra)

    fault.all = made
    return fault


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


async def test_what_one_host_does_all_the_time_is_counted(faults, clock, caplog):
    for number in range(10_000):
        faults(f"127.0.0.1:{number % 1000 + 1}", number)
    assert len(messages(caplog)) == LINES
    await clock.advance(PERIOD + 1)

    assert messages(caplog)[LINES:] == [
        "127.0.0.1:1000 did it: 9999 (the last of 9995 more like it within 10 s)"
    ]
    assert caplog.records[-1].peer == "127.0.0.1:1000"
    assert clock.waiting == 0
    faults(number=7)
    assert messages(caplog)[-1] == "127.0.0.1:1 did it: 7"


async def test_each_kind_and_each_host_is_counted_by_itself(faults, clock, caplog):
    for _ in range(100):
        faults("10.0.0.1:1")
        faults("10.0.0.2:1")
        faults("10.0.0.1:1", message="%s did something else: %d")
        faults("unix-peer-7f:0")
        faults("unix-peer-80:0")
    assert len(messages(caplog)) == 4 * LINES
    await clock.advance(PERIOD + 1)
    assert len(messages(caplog)) == 4 * LINES + 4


async def test_a_fault_now_and_then_is_always_logged(faults, clock, caplog):
    for number in range(20):
        faults(number=number)
        await clock.advance(PERIOD / LINES)
    assert len(messages(caplog)) == 20
    assert clock.waiting == 0


async def test_of_more_hosts_than_can_be_told_apart_the_others_count_as_one(faults, clock, caplog):
    for number in range(5_000):
        faults(f"10.0.{number // 256}.{number % 256}:1")
    assert len(messages(caplog)) == 1_000 + LINES
    await clock.advance(PERIOD + 1)
    assert messages(caplog)[-1].endswith(f"(the last of {4_000 - LINES} more like it within 10 s)")
    faults("10.0.19.135:1")
    assert messages(caplog)[-1].startswith("10.0.19.135:1")


async def test_levels_that_nobody_reads_are_not_counted(faults, clock, caplog):
    for _ in range(100):
        faults(level=logging.DEBUG)
    assert (messages(caplog), clock.waiting) == ([], 0)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param({"ttl_ms": 0}, id="ttl 0"),
        pytest.param({"arg1": b"\0" * 16_000}, id="long endpoints"),
        pytest.param({"headers": {"as": "raw"}}, id="no caller"),
    ],
)
async def test_a_flood_of_bad_calls_is_a_few_lines(server, lines, caplog, flood):
    caplog.set_level(logging.INFO, logger="tchannel")
    frames = [call(id=id, **flood) for id in range(2, 1_002)]
    await send(server, handshake(), b"".join(frames))
    await server.close()

    about = [line for line in lines() if " call " in line]
    assert len(about) == LINES + 1
    assert f"{1_000 - LINES} more like it" in about[-1]
    assert sum(map(len, lines())) < 10_000


# -- what operators expect --------------------------------------------------------------------


async def test_listening_is_told(server, lines):
    assert lines() == []
    other = TChannel("other", hostport="127.0.0.1:0")
    other.listen()
    assert lines() == [f"INFO tchannel.listener other listens on {other.hostport}"]
    await other.close()


async def test_a_connection_is_told_by_who_opened_it_and_by_who_was_called(server, lines, tcp):
    client = tcp("client")
    server.raw.register("fine", lambda request: b"")
    for _ in range(3):
        await client.raw("server", "fine", hostport=server.hostport)
    (connection,) = inside(server).connections
    caller = connection.address
    await client.close()
    while inside(server).connections:
        await asyncio.sleep(0)

    def about(level, beginning):
        return [
            one for one in lines() if one.startswith(f"{level} tchannel.connection {beginning}")
        ]

    (opened,) = about("INFO", f"connection to {server.hostport} is open: ")
    assert opened.endswith(f"{server.process_name}, which announces {server.hostport}")
    (opened,) = about("DEBUG", f"connection from {caller} is open: ")
    assert opened.endswith(f"{client.process_name}, which announces None")
    (closed,) = about("INFO", f"connection to {server.hostport} is closed: closed here (after ")
    assert closed.endswith(" s, 3 calls)")
    (closed,) = about("DEBUG", f"connection from {caller} is closed: closed by the peer (after ")
    assert closed.endswith(" s, 3 calls)")


async def test_what_is_announced_is_an_attribute_of_the_record(server, lines, caplog):
    await send(server, handshake(host_port="10.1.2.3:4040"), call(ttl_ms=0))

    (record,) = [one for one in caplog.records if one.getMessage().startswith("bad call")]
    assert record.peer.startswith("127.0.0.1:")
    assert record.announced == "10.1.2.3:4040"
