"""Sync channels that nobody holds any more, and calls made in the callbacks of other calls."""

import gc
import threading
import warnings
from collections.abc import Iterator

import pytest

from tchannel import TChannel, sync
from tchannel.sync import client
from tchannel.sync.loops import LoopThread


@pytest.fixture
def hostport() -> Iterator[str]:
    """A service that echoes, in a thread of its own."""
    thread = LoopThread(None, "service")
    ready, closed = threading.Event(), threading.Event()
    channels: list[TChannel] = []

    def serve() -> None:
        channel = TChannel("service", "127.0.0.1:0")
        channel.json.register("echo", lambda request: request.body)
        channel.listen()
        channels.append(channel)
        ready.set()

    thread.call_soon(serve)
    assert ready.wait(10)
    yield channels[0].hostport
    thread.call_soon(lambda: channels[0].close(0).add_done_callback(lambda _: closed.set()))
    assert closed.wait(10)
    thread.stop()


def threads() -> int:
    return sum(thread.name.startswith("tchannel-") for thread in threading.enumerate())


def ended_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("tchannel-"):
            thread.join(10)


def test_channels_that_nobody_holds_are_collected_with_a_warning(hostport: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(20):
            channel = sync.TChannel(f"client-{number}", known_peers=[hostport])
            assert channel.json("service", "echo", number).result(10).body == number
        del channel
        gc.collect()
        ended_threads()
    assert threads() == 0
    texts = [str(one.message) for one in caught if issubclass(one.category, ResourceWarning)]
    assert sorted(texts) == sorted(
        f"unclosed sync channel client-{number}: call close()" for number in range(20)
    )


def test_a_channel_that_is_closed_warns_of_nothing(hostport: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with sync.TChannel("client", known_peers=[hostport]) as channel:
            channel.json("service", "echo", 1).result(10)
        del channel
        gc.collect()
    assert threads() == 0


def test_a_call_keeps_its_channel_until_it_has_ended(hostport: str) -> None:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        future = sync.TChannel("client", known_peers=[hostport]).json("service", "echo", "kept")
        gc.collect()
        assert future.result(10).body == "kept"
        del future
        gc.collect()
        ended_threads()


def test_a_channel_that_listens_is_not_collected(hostport: str) -> None:
    sync.TChannel("listening", hostport="127.0.0.1:0").listen()
    gc.collect()
    assert threads() == 1
    (channel,) = [one for one in client._running if one.name == "listening"]
    assert channel.is_listening()
    channel.close()


def test_a_callback_may_make_another_call(hostport: str) -> None:
    done = threading.Event()
    bodies: list[object] = []

    def finish(future: object) -> None:
        bodies.append(future.result().body)  # type: ignore[attr-defined]
        done.set()

    with sync.TChannel("client", known_peers=[hostport]) as channel:
        channel.json("service", "echo", 1).add_done_callback(
            lambda first: channel.json(
                "service", "echo", first.result().body + 1
            ).add_done_callback(finish)
        )
        assert done.wait(10)
    assert bodies == [2]


def test_a_callback_that_waits_is_told_that_it_would_wait_for_itself(hostport: str) -> None:
    done = threading.Event()
    seen: list[BaseException] = []
    ran_in: list[threading.Thread] = []

    def wait(_: object) -> None:
        ran_in.append(threading.current_thread())
        for look in ("result", "exception"):
            call = channel.json("service", "echo", 1)
            try:
                getattr(call, look)(5)
            except RuntimeError as error:
                seen.append(error)
        done.set()

    with sync.TChannel("client", known_peers=[hostport]) as channel:
        # A call that is answered before that has the callback run here, where it may wait.
        while not ran_in or ran_in[-1] is threading.current_thread():
            done.clear()
            channel.json("service", "echo", 1).add_done_callback(wait)
            assert done.wait(10)
    assert [str(error)[:40] for error in seen] == ["a call of a sync channel is waited for i"] * 2
