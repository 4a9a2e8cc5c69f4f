"""A server that ends by a signal, as supervisors end it."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import textwrap

import pytest

from tchannel import TChannel, errors
from tchannel.lowlevel import inside

SERVER = """
    import asyncio, sys
    from tchannel import TChannel

    async def main():
        channel = TChannel("server", hostport="127.0.0.1:0")

        @channel.raw.register
        async def work(request):
            print("working", flush=True)
            await asyncio.sleep(float(request.body))
            return b"done"

        channel.listen()
        print(channel.hostport, flush=True)
        received = await channel.serve_until_signal(grace=float(sys.argv[2]))
        print("ended by", received.name, flush=True)

    if sys.argv[1] == "uvloop":
        import uvloop
        uvloop.run(main())
    else:
        asyncio.run(main())
"""


@pytest.fixture(params=["asyncio", "uvloop"])
def serve(request):
    """A function that starts a server with a grace, and returns its process and its address."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(SERVER)]
    with contextlib.ExitStack() as stack:

        def start(grace):
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, request.param, str(grace)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process, process.stdout.readline().strip()

        yield start


async def ended(process):
    out, err = await asyncio.to_thread(process.communicate, timeout=30)
    return process.returncode, out.split("\n")[0], err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_what_was_asked_be_answered_and_the_process_end_well(
    tcp, serve, number
):
    process, hostport = serve(20)
    call = tcp("client").raw("server", "work", b"0.5", hostport=hostport)
    assert await asyncio.to_thread(process.stdout.readline) == "working\n"
    process.send_signal(number)

    assert (await call).body == b"done"
    assert await ended(process) == (0, f"ended by {number.name}", "")


async def test_what_takes_longer_than_the_grace_is_told_so(tcp, serve):
    process, hostport = serve(0.1)
    call = tcp("client").raw("server", "work", b"30", hostport=hostport)
    assert await asyncio.to_thread(process.stdout.readline) == "working\n"
    process.send_signal(signal.SIGTERM)

    with pytest.raises(errors.CanceledError, match="the server closed"):
        await call
    assert (await ended(process))[:2] == (0, "ended by SIGTERM")


async def test_a_second_signal_ends_the_process_at_once(tcp, serve):
    process, hostport = serve(30)
    client = tcp("client")
    call = client.raw("server", "work", b"30", hostport=hostport)
    assert await asyncio.to_thread(process.stdout.readline) == "working\n"
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        while not next(iter(inside(client).connections)).peer_draining:
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGTERM)

    assert (await ended(process))[0] == -signal.SIGTERM
    with pytest.raises(errors.NetworkError):
        await call


async def test_a_channel_that_is_closed_by_something_else_ends_the_wait(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    server.listen()
    waiting = asyncio.ensure_future(server.serve_until_signal())
    await asyncio.sleep(0)
    await server.close()
    assert await waiting is None
    with pytest.raises(RuntimeError, match="channel server is closed"):
        await server.serve_until_signal()


async def test_a_wait_that_is_given_up_leaves_no_handler(tcp):
    server = tcp("server")
    before = signal.getsignal(signal.SIGTERM)
    waiting = asyncio.ensure_future(server.serve_until_signal(signals=[signal.SIGTERM]))
    await asyncio.sleep(0)
    assert signal.getsignal(signal.SIGTERM) is not before
    waiting.cancel()
    await asyncio.wait([waiting])
    assert signal.getsignal(signal.SIGTERM) in {before, signal.SIG_DFL}
    assert not server.is_closed()
    assert inside(server).close_callbacks == []


def test_in_another_thread_it_says_where_to_call_it():
    async def serve():
        async with TChannel("server") as server:
            with pytest.raises(RuntimeError, match="in the loop of the main thread"):
                await server.serve_until_signal()

    async def in_a_thread():
        await asyncio.to_thread(asyncio.run, serve())

    asyncio.run(in_a_thread())
