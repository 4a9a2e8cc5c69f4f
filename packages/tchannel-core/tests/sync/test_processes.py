"""The sync channel at the interpreter's exit and across forks, each in an interpreter of its own.

Each script must end by itself, with exit code 0 and without a word on stderr, warnings included.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tchannel import TChannel
from tchannel.sync.loops import LoopThread

PRELUDE = """
import asyncio, os, sys, threading
from tchannel import sync

if sys.argv[1] == "uvloop":
    from uvloop import new_event_loop as loop_factory
else:
    loop_factory = asyncio.new_event_loop

channel = sync.TChannel("client", known_peers=[sys.argv[2]], loop_factory=loop_factory)

def echo(body):
    return channel.json("service", "echo", body).result(20).body
"""

FORKS = """
import warnings
# From 3.12 on Python warns of a fork beside other threads, and 3.15 raises it where we ask for that.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
"""


@pytest.fixture(scope="module")
def hostport() -> Iterator[str]:
    """A service that echoes, and another of its endpoints that never answers."""
    ready = threading.Event()
    channels: list[TChannel] = []

    def serve() -> None:
        channel = TChannel("service", "127.0.0.1:0")
        channels.append(channel)

        @channel.json.register
        def echo(request: Any) -> Any:
            return request.body

        @channel.json.register
        def never(request: Any) -> Any:
            return channel.loop.create_future()

        channel.listen()
        ready.set()

    thread = LoopThread(None, "service")
    thread.call_soon(serve)
    assert ready.wait(10)
    yield channels[0].hostport
    closed = threading.Event()
    thread.call_soon(lambda: channels[0].close(0.01).add_done_callback(lambda _: closed.set()))
    assert closed.wait(10)
    thread.stop()


@pytest.fixture
def run(loop_name: str, hostport: str) -> Any:
    def run(script: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PRELUDE + script, loop_name, hostport],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            env={key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"},
        )
        assert (done.stderr, done.returncode) == ("", 0)
        return done.stdout.split()

    return run


def test_exit_with_calls_pending(run: Any) -> None:
    script = """
print(echo("answered"))
calls = [channel.json("service", "never") for _ in range(3)]
"""
    assert run(script) == ["answered"]


def test_exit_right_after_an_unawaited_call(run: Any) -> None:
    assert run('channel.json("service", "echo")') == []


def test_exit_of_a_channel_never_used(run: Any) -> None:
    assert run("") == []


def test_exit_after_an_exception_in_the_with_block(run: Any) -> None:
    script = """
try:
    with channel:
        echo(1)
        raise KeyError
except KeyError:
    print("closed", channel.is_closed())
"""
    assert run(script) == ["closed", "True"]


def test_exit_while_a_daemon_thread_waits_for_an_answer(run: Any) -> None:
    script = """
begun = threading.Event()
def wait():
    future = channel.json("service", "never")
    begun.set()
    future.exception()
threading.Thread(target=wait, daemon=True).start()
begun.wait()
"""
    assert run(script) == []


def test_exit_while_the_channel_listens(run: Any) -> None:
    assert run("channel.listen(); print(channel.is_listening())") == ["True"]


def test_exit_with_a_loop_that_is_blocked(run: Any) -> None:
    """A hook that hangs must not keep the interpreter."""
    script = """
hangs = threading.Event()
channel.submit(lambda: (hangs.set(), threading.Event().wait(30)))
hangs.wait()
os.write(1, b"exiting")
"""
    assert run(script) == ["exiting"]


def test_a_first_call_after_the_main_thread_ended_works_or_says_why_not(run: Any) -> None:
    """From 3.12 on no thread can be started any more at that time."""
    script = """
def late():
    threading.main_thread().join()
    try:
        print(echo("answered"))
    except RuntimeError as error:
        print("refused" if "thread" in str(error) else error)
threading.Thread(target=late).start()
"""
    assert run(script) in (["answered"], ["refused"])


def test_a_forked_child_calls_on_and_so_does_its_parent(run: Any) -> None:
    script = """
print(echo("parent"), flush=True)
for _ in range(2):
    child = os.fork()
    if child == 0:
        print(echo("child"), flush=True)
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(echo("parent"), flush=True)
"""
    assert run(FORKS + script) == ["parent", "child", "parent", "child", "parent"]


def test_a_channel_made_before_the_fork_and_used_after_it_only(run: Any) -> None:
    script = """
child = os.fork()
if child == 0:
    print(echo("child"), flush=True)
    channel.close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print(echo("parent"))
"""
    assert run(script) == ["child", "parent"]


def test_a_child_that_never_calls_leaves_its_parent_alone(run: Any) -> None:
    script = """
pending = channel.json("service", "never")
print(echo("parent"), flush=True)
child = os.fork()
if child == 0:
    channel.close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print(echo("parent"), pending.done())
"""
    assert run(FORKS + script) == ["parent", "parent", "False"]


def test_a_fork_while_other_threads_call(run: Any) -> None:
    script = """
import traceback
stop = threading.Event()
def work(number):
    while not stop.is_set():
        assert echo(number) == number
threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(4)]
for thread in threads:
    thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        try:
            print(echo("child"), flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
print(echo("parent"))
"""
    assert run(FORKS + script) == ["child"] * 5 + ["parent"]


def test_processes_of_multiprocessing_by_fork(run: Any) -> None:
    script = """
import multiprocessing
print(echo("parent"), flush=True)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(*pool.map(echo, ["a", "b", "c"]))
"""
    assert run(FORKS + script) == ["parent", "a", "b", "c"]
