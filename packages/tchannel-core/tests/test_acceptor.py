"""Accepting on sockets; which turn of the loop a closing may come in is tested in test_closing."""

import asyncio
import errno
import socket

import pytest

from tchannel._links.acceptor import Acceptor


class Loop:
    """Keeps what an acceptor asks of its loop."""

    def __init__(self):
        self.readers = {}
        self.later = []
        self.closed = False

    def add_reader(self, fd, callback, *args):
        self.readers[fd] = lambda: callback(*args)

    def remove_reader(self, fd):
        assert fd >= 0
        return self.readers.pop(fd, None) is not None

    def call_later(self, delay, callback):
        self.later.append((delay, callback))
        return Timer(self.later)

    def create_task(self, coroutine):
        return asyncio.get_running_loop().create_task(coroutine)

    def is_closed(self):
        return self.closed


class Timer:
    def __init__(self, later):
        self.later = later

    def cancel(self):
        self.later.clear()


class Listening:
    """A socket that gives what it was told to, then nothing."""

    def __init__(self, fd, *gives):
        self.fd = fd
        self.gives = list(gives)

    def fileno(self):
        return self.fd

    def accept(self):
        given = self.gives.pop(0) if self.gives else BlockingIOError()
        if isinstance(given, OSError):
            raise given
        return given, ("192.0.2.1", 5)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours
    theirs.close()
    ours.close()


@pytest.fixture
def made():
    return []


@pytest.fixture
def accept_on(made):
    """Makes an acceptor on a loop that only keeps what it is asked for."""

    def start(*listening):
        async def make(accepted, address):
            made.append((accepted, address))

        failed = []
        acceptor = Acceptor(Loop(), listening, make, failed.append)
        acceptor.loop, acceptor.failed = acceptor._loop, failed
        return acceptor

    return start


async def test_what_arrives_is_made_in_a_task_of_its_own(accept_on, made, pair):
    acceptor = accept_on(Listening(3, ConnectionAbortedError()), Listening(4, pair))
    acceptor.loop.readers[3]()  # its peer was gone before it was accepted
    acceptor.loop.readers[4]()
    assert (made, len(acceptor.arriving)) == ([], 1)

    await asyncio.gather(*acceptor.arriving)

    assert made == [(pair, ("192.0.2.1", 5))]
    assert not pair.getblocking()
    assert not acceptor.arriving


async def test_without_descriptors_it_says_so_once_and_tries_again_after_a_second(
    accept_on, made, pair
):
    full = OSError(errno.EMFILE, "too many open files")
    acceptor = accept_on(Listening(3, full, pair))
    loop = acceptor.loop

    loop.readers[3]()

    assert acceptor.failed == [full]
    assert loop.readers == {}
    ((delay, resume),) = loop.later
    assert delay == 1
    resume()
    loop.readers[3]()
    await asyncio.gather(*acceptor.arriving)
    assert [accepted for accepted, _ in made] == [pair]


async def test_stopped_it_accepts_nothing_even_when_it_was_about_to_try_again(accept_on):
    acceptor = accept_on(Listening(3, OSError(errno.ENFILE, "full")), Listening(4))
    acceptor.loop.readers[3]()

    acceptor.stop()
    acceptor.stop()

    assert acceptor.loop.readers == {}
    assert acceptor.loop.later == []


async def test_a_loop_that_is_closed_is_left_alone(accept_on):
    acceptor = accept_on(Listening(3))
    acceptor.loop.closed = True
    acceptor.stop()
    assert list(acceptor.loop.readers) == [3]


async def test_the_socket_of_a_connection_that_is_never_begun_is_closed(accept_on, made, pair):
    acceptor = accept_on(Listening(3, pair))
    acceptor.loop.readers[3]()
    (making,) = acceptor.arriving

    making.cancel()
    await asyncio.gather(making, return_exceptions=True)

    assert made == []
    assert pair.fileno() == -1
