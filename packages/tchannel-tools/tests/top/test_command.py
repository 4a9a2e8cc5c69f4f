"""``tchannel top``, as a user runs it."""

import asyncio
import fcntl
import json
import os
import pty
import struct
import sys
import termios
from contextlib import suppress

import pytest

from tchannel.options import Options


@pytest.fixture
def busy(tcp):
    """A service, which tells its stats as all of this library do."""
    channel = tcp("busy", hostport="127.0.0.1:0")

    @channel.json.register("get")
    def get(request):
        return request.body

    channel.listen()
    return channel


@pytest.fixture
def go(tcp):
    """A service that tells what one of tchannel-go does."""
    options = Options(introspection="off")  # of its own
    channel = tcp("tchannel", hostport="127.0.0.1:0", options=options)

    @channel.json.register("_gometa_introspect")
    def introspect(request):
        return {
            "channelState": "ChannelListening",
            "localPeer": {"serviceName": "goserver", "processName": "go[1]"},
            "subChannels": {"goserver": {"handler": {"methods": ["echo"]}}},
            "numConnections": 4,
        }

    channel.listen()
    return channel


async def test_it_is_shown_once_where_there_is_no_terminal(tool, busy):
    ran = await tool("top", busy.hostport, "--interval", "50ms")

    assert ran.code == 0
    assert ran.out.startswith("tchannel top  endpoints, by /s\n")
    assert f"1 {busy.hostport}  busy  open  1 conns" in ran.out
    assert "in  tchannel::stats" in ran.out


async def test_a_go_service_is_shown_by_its_introspection(tool, go):
    ran = await tool("top", go.hostport, "--once", "--interval", "50ms")

    assert ran.code == 0
    assert f"1 {go.hostport}  goserver  ChannelListening  4 conns" in ran.out
    assert "in  echo" in ran.out


async def test_several_hosts_are_shown_and_one_that_is_down_as_that(tool, busy):
    ran = await tool("top", busy.hostport, "127.0.0.1:1", "--once", "--interval", "50ms", "--json")

    assert ran.code == 0
    up, down = ran.json["hosts"]
    assert (up["service"], up["by"], up["down"]) == ("busy", "stats", False)
    assert down["down"] is True
    assert "nothing listens there" in down["problem"]


async def test_a_service_that_tells_nothing_is_no_host_that_is_down(tool, tcp):
    quiet = tcp("quiet", hostport="127.0.0.1:0", options=Options(introspection="off"))

    @quiet.raw.register(quiet.FALLBACK)
    def refuse(request):
        raise RuntimeError("no")

    quiet.listen()
    ran = await tool("top", quiet.hostport, "--once", "--interval", "50ms")

    assert ran.code == 125
    assert "DOWN" not in ran.out
    assert "does not tell what it serves" in ran.out


async def test_no_host_at_all_is_the_exit_code(tool):
    ran = await tool("top", "127.0.0.1:1", "--once")

    assert ran.code == 125
    assert "DOWN: " in ran.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say whom to show"),
        (["nonsense"], "the host: "),
        (["h:1", "--interval", "x"], "--interval is a time"),
        (["h:1", "--interval", "0"], "--interval is more than nothing"),
        (["h:1", "--sort", "nam"], "--sort is one of way, service, endpoint"),
        (["h:1", "--view", "pers"], "invalid choice: 'pers'"),
    ],
)
async def test_a_mistake_is_one_line(tool, options, said):
    ran = await tool("top", *options)

    assert (ran.code, ran.out) == (125, "")
    assert ran.err.startswith("tchannel top: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1


# The terminal becomes that of the process, so that Ctrl-C is a signal there.
TAKE_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from tchannel_tools.main import main
sys.exit(main(sys.argv[1:]))
"""


class Terminal:
    """A process on a terminal of 80 columns and 24 lines."""

    def __init__(self, *argv):
        self._argv = argv
        self.shown = b""

    async def __aenter__(self):
        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(other)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", TAKE_TERMINAL, *self._argv),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm"},
        )
        self._other = other
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._end, self._read)
        return self

    def _read(self):
        with suppress(OSError):
            self.shown += os.read(self._end, 65536)
        self._news.set()

    async def see(self, text):
        """Wait until it was shown, after all that was waited for before."""
        try:
            async with asyncio.timeout(30):
                while text.encode() not in self.shown:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"{text!r} is not shown, but {self.shown[-2000:]!r}")
        self.shown = self.shown.partition(text.encode())[2]

    def press(self, keys):
        os.write(self._end, keys.encode())

    async def ended(self):
        """Wait for its end; returns the exit code, and the settings of the terminal."""
        async with asyncio.timeout(30):
            code = await self._process.wait()
        return code, termios.tcgetattr(self._other)

    async def __aexit__(self, *exc):
        asyncio.get_running_loop().remove_reader(self._end)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        os.close(self._end)
        os.close(self._other)


async def test_on_a_terminal_keys_choose_pause_and_end_it(busy):
    async with Terminal("top", busy.hostport, "--interval", "50ms") as terminal:
        await terminal.see("endpoints, by /s")
        await terminal.see("tchannel::stats")
        terminal.press("s")
        await terminal.see("by err/s")
        terminal.press(" ")
        await terminal.see("paused")
        terminal.press("c")
        await terminal.see("calls, by age")
        terminal.press("q")
        code, settings = await terminal.ended()

        assert code == 0
        assert settings == terminal.before


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("\x03", 130)])
async def test_no_key_waits_for_a_host_that_does_not_answer(key, code):
    ended = asyncio.Event()

    async def silent(reader, writer):
        await ended.wait()
        writer.transport.abort()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        hostport = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Terminal("top", hostport, "--timeout", "1h") as terminal:
            await terminal.see("endpoints, by /s")
            terminal.press("p")
            await terminal.see("peers, by now")
            terminal.press(key)
            assert (await terminal.ended())[0] == code
        ended.set()


async def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(busy):
    async with Terminal("top", busy.hostport, "--interval", "50ms") as terminal:
        await terminal.see("tchannel::stats")
        terminal.press("\x03")
        code, settings = await terminal.ended()

        assert code == 130
        assert settings == terminal.before


async def test_who_reads_no_further_ends_it_without_a_word(busy):
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m tchannel_tools top {busy.hostport} --json --interval 20ms | head -n 1",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()

    assert json.loads(out)["hosts"][0]["service"] == "busy"
    assert err == b""
