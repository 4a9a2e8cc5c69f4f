"""Who looks at the page: slow ones cost one view each, and are closed in the end."""

import asyncio

import pytest

from tchannel_observe.page.viewers import STALLED, Viewers


class Stream:
    """A stream whose other side takes a view when the test says so."""

    def __init__(self):
        self.sent = []
        self.ended = False
        self.taken = None

    def send(self, data):
        self.sent.append(data)
        self.taken = asyncio.get_running_loop().create_future()
        return self.taken

    def end(self):
        self.ended = True


@pytest.fixture
async def stream():
    return Stream()


async def test_a_view_is_made_once_for_all_that_look_at_a_channel(stream):
    viewers, other, made = Viewers(5), Stream(), []

    def make():
        made.append(1)
        return b"view"

    viewers.add(stream, "orders")
    viewers.add(other, "orders")
    viewers.show("orders", make, 0.0)

    assert (stream.sent, other.sent, made) == ([b"view"], [b"view"], [1])


async def test_nothing_is_made_of_a_channel_that_nobody_looks_at(stream):
    viewers = Viewers(5)
    viewers.add(stream, "orders")

    viewers.show("ledger", lambda: pytest.fail("made for nobody"), 0.0)

    assert viewers.keys() == {"orders"}


async def test_who_is_slow_gets_no_second_view_before_the_first_is_taken(stream):
    viewers = Viewers(5)
    viewer = viewers.add(stream, "orders")
    for now in range(5):
        viewers.show("orders", lambda: b"view", float(now))
    assert (len(stream.sent), viewer.skipped) == (1, 4)

    stream.taken.set_result(None)
    viewers.show("orders", lambda: b"later", 5.0)

    assert stream.sent == [b"view", b"later"]


async def test_who_takes_nothing_for_long_is_closed(stream):
    viewers = Viewers(5)
    viewers.add(stream, "orders")
    viewers.show("orders", lambda: b"view", 0.0)

    viewers.show("orders", lambda: b"view", STALLED - 0.1)
    assert not stream.ended

    viewers.show("orders", lambda: b"view", STALLED)
    assert stream.ended
    assert len(viewers) == 0


async def test_a_stream_that_fails_is_no_noise(stream):
    viewers = Viewers(5)
    viewers.add(stream, "orders")
    viewers.show("orders", lambda: b"view", 0.0)

    stream.taken.set_exception(ConnectionResetError())
    viewers.show("orders", lambda: b"later", 1.0)

    assert stream.sent == [b"view", b"later"]


async def test_no_more_are_taken_than_allowed(stream):
    viewers = Viewers(1)
    viewer = viewers.add(stream, "orders")
    assert viewers.full

    viewers.drop(viewer)
    assert not viewers.full
