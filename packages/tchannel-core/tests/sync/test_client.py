"""The sync channel on a stand-in for the async one."""

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tchannel import errors, sync
from tchannel.sync import client

Make = Callable[..., client.TChannel]


@pytest.mark.parametrize("scheme", ["raw", "json"])
def test_a_call_returns_a_concurrent_future_of_the_response(
    channel: client.TChannel, scheme: str
) -> None:
    future = getattr(channel, scheme)("service", "later", "body")
    assert isinstance(future, concurrent.futures.Future)
    assert future.result(10) == "body"


def test_thrift_calls_and_calls_on_bytes_pass_their_arguments(
    channel: client.TChannel, fake: Any
) -> None:
    assert channel.thrift("request", "echo", "answer", timeout=2).result(10) == "answer"
    assert channel.call("raw", "service", "endpoint", b"2", b"3", timeout=1).cancel()
    (made,) = fake.made
    assert made.calls[0] == ("thrift", ("request", "echo", "answer"), {"timeout": 2})
    channel.json("service", "echo").result(10)
    named = {"deadline": None, "routing_key": None}
    call = ("call", ("raw", "service", "endpoint", b"2", b"3", 1, *[None] * 8), named)
    # The cancelled call may not have begun: then it is never made.
    assert made.calls[1:-1] in ([call], [])


def test_all_arguments_of_raw_and_json_calls_reach_the_async_channel(
    channel: client.TChannel, fake: Any
) -> None:
    expected = ("service", "echo", "body", None, 3, "t", 2, "h:1", "sk", True, "rd", "cn")
    named = {"deadline": 9, "routing_key": "rk"}
    channel.raw(*expected, **named, string_headers=True).result(10)
    channel.json(*expected, **named).result(10)
    (made,) = fake.made
    assert [args for _, args, _ in made.calls] == [expected, expected]
    assert [kwargs for _, _, kwargs in made.calls] == [{**named, "string_headers": True}, named]


def test_the_async_channel_is_made_with_the_arguments_given(make: Make, fake: Any) -> None:
    make("name", "127.0.0.1:4040", "process", ["h:1"], True, None, reuse_port=True)
    (made,) = fake.made
    assert (made.name, made.hostport, made.process_name) == ("name", "127.0.0.1:4040", "process")
    assert (made.known_peers, made.trace, made.options) == (["h:1"], True, {"reuse_port": True})


def test_errors_of_the_call_are_those_of_the_future(channel: client.TChannel) -> None:
    future = channel.json("service", "busy")
    with pytest.raises(errors.BusyError, match="full"):
        future.result(10)
    assert isinstance(future.exception(), errors.BusyError)


def test_a_mistake_of_the_caller_is_an_error_of_the_future(channel: client.TChannel) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        channel.json("service", "mistake").result(10)


def test_an_empty_name_is_refused_at_once(make: Make) -> None:
    with pytest.raises(errors.ServiceNameIsRequiredError):
        make("")


def test_cancelling_the_future_cancels_the_call(channel: client.TChannel, fake: Any) -> None:
    future = channel.json("service", "wait")
    (made,) = fake.made
    assert made.begun.acquire(timeout=10)
    assert future.cancel()
    assert made.ended.wait(10)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(10)
    done, _ = concurrent.futures.wait([future], 10)
    assert done == {future}
    assert future.cancel()


def test_a_call_that_ended_cannot_be_cancelled(channel: client.TChannel) -> None:
    future = channel.json("service", "echo", 1)
    assert future.result(10) == 1
    assert not future.cancel()
    assert future.result() == 1


def test_a_call_cancelled_within_the_loop_is_a_cancelled_future(channel: client.TChannel) -> None:
    future = channel.json("service", "cancelled")
    done, _ = concurrent.futures.wait([future], 10)
    assert done == {future}
    assert future.cancelled()


def test_callbacks_of_the_future_are_called(channel: client.TChannel) -> None:
    called = threading.Event()
    channel.json("service", "later", 1).add_done_callback(lambda _: called.set())
    assert called.wait(10)


def test_sixteen_threads_call_at_once(channel: client.TChannel, fake: Any) -> None:
    start = threading.Barrier(16)

    def work(number: int) -> list[int]:
        start.wait(10)
        futures = [channel.json("service", "later", number * 1000 + i) for i in range(200)]
        return [future.result(30) for future in futures]

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(work, range(16)))
    assert results == [[number * 1000 + i for i in range(200)] for number in range(16)]
    (made,) = fake.made
    assert len(made.threads) == 1
    assert made.threads.isdisjoint({threading.get_ident()})


def test_no_thread_is_started_before_the_first_call(make: Make) -> None:
    before = threading.active_count()
    channel = make("lazy")
    assert (channel.name, channel.is_listening(), channel.is_closed()) == ("lazy", False, False)
    assert threading.active_count() == before
    channel.json("service", "echo").result(10)
    assert threading.active_count() == before + 1
    assert "tchannel-lazy" in {thread.name for thread in threading.enumerate()}
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "tchannel-lazy")


def test_the_context_of_the_caller_reaches_the_loop(channel: client.TChannel) -> None:
    variable = contextvars.ContextVar[str]("variable", default="unset")
    variable.set("set by the caller")
    assert channel.submit(variable.get).result(10) == "set by the caller"


def test_submit_takes_functions_and_coroutine_functions(channel: client.TChannel) -> None:
    async def native(a: int, b: int = 0) -> int:
        await asyncio.sleep(0)
        return a + b

    assert channel.submit(native, 1, b=2).result(10) == 3
    assert channel.submit(divmod, 7, 3).result(10) == (2, 1)


@pytest.mark.parametrize("method", ["submit", "close"])
def test_the_loops_own_thread_is_refused_at_once(channel: client.TChannel, method: str) -> None:
    def within() -> None:
        if method == "close":
            channel.close()
        else:
            channel.json("service", "echo").result()

    with pytest.raises(RuntimeError, match="thread of its own event loop"):
        channel.submit(within).result(10)
    assert channel.json("service", "echo", "still open").result(10) == "still open"


@pytest.mark.parametrize(
    "register",
    [
        lambda channel: channel.register,
        lambda channel: channel.raw.register,
        lambda channel: channel.json.register,
        lambda channel: channel.thrift.register,
    ],
)
def test_handlers_are_refused_with_a_hint(
    channel: client.TChannel, register: Callable[[client.TChannel], Callable[..., Any]]
) -> None:
    with pytest.raises(NotImplementedError, match=r"on a tchannel\.TChannel"):
        register(channel)("json", "endpoint", print)


def test_listening_blocks_until_it_listens(channel: client.TChannel, fake: Any) -> None:
    channel.listen(4040)
    (made,) = fake.made
    assert made.listening == [4040]
    assert channel.is_listening()
    with pytest.raises(PermissionError):
        channel.listen(1)


def test_advertising_passes_its_arguments(channel: client.TChannel, fake: Any) -> None:
    channel.advertise(["h:1"], "echo", 5, jitter=1).result(10)
    assert channel.unadvertise("echo").result(10) == "unadvertised echo"
    (made,) = fake.made
    assert made.calls == [("advertise", (["h:1"], "echo", 5, None, 1), {})]


def test_attributes_are_those_of_the_async_channel(make: Make, fake: Any) -> None:
    channel = make("name", "127.0.0.1:4040", "process")
    (made,) = fake.made
    assert channel.channel is made
    assert channel.hooks is made.hooks
    assert channel.interceptors is made.interceptors
    assert channel.options is made.options
    assert (channel.hostport, channel.host, channel.port) == ("127.0.0.1:4040", "127.0.0.1", 4040)
    assert (channel.name, channel.process_name) == ("name", "process")
    assert (channel.raw.NAME, channel.json.NAME, channel.thrift.NAME) == ("raw", "json", "thrift")
    assert repr(channel) == f"<sync of {made!r}>"


def test_closing_waits_closes_the_channel_and_ends_the_thread(make: Make, fake: Any) -> None:
    before = threading.active_count()
    with make() as channel:
        future = channel.json("service", "wait")
        channel.close(0.5)
        assert channel.is_closed()
    (made,) = fake.made
    assert made.closed == [0.5]
    assert threading.active_count() == before
    with pytest.raises(errors.NetworkError):
        future.result(10)


def test_a_closed_channel_says_so(make: Make) -> None:
    used, unused = make("used"), make("unused")
    used.json("service", "echo").result(10)
    for channel in (used, unused):
        channel.close()
        channel.close()
        with pytest.raises(RuntimeError, match=f"channel {channel.name} is closed"):
            channel.json("service", "echo")
        with pytest.raises(RuntimeError, match="is closed"):
            channel.listen()


def test_many_threads_may_close_and_each_waits(make: Make, fake: Any) -> None:
    channel = make()
    channel.json("service", "echo").result(10)
    (made,) = fake.made
    made.may_close = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        closes = [threads.submit(channel.close) for _ in range(4)]
        assert made.closing.wait(10)
        assert not any(close.done() for close in closes)
        made.may_close.set()
        for close in closes:
            close.result(10)
    assert made.closed == [None]


def test_a_thread_that_came_after_may_close_again_whatever_its_ident(make: Make) -> None:
    channel = make()
    channel.json("service", "echo").result(10)
    loops = channel.submit(threading.get_ident).result(10)
    channel.close()

    def close() -> int:
        channel.close()
        return threading.get_ident()

    for _ in range(50):
        with ThreadPoolExecutor(1) as thread:
            # The system gives it anew soon, mostly at once.
            if thread.submit(close).result(10) == loops:
                break


def test_no_call_is_lost_when_another_thread_closes(make: Make) -> None:
    """Each call gets an answer, an error or a refusal, however it meets the close."""
    for _ in range(20):
        channel = make()
        channel.json("service", "echo").result(10)
        started = threading.Barrier(3)

        def work(channel: client.TChannel = channel, started: threading.Barrier = started) -> str:
            started.wait(10)
            for count in range(100_000):
                try:
                    future = channel.json("service", "later", count)
                except RuntimeError as error:
                    return str(error)
                try:
                    assert future.result(10) == count
                except (RuntimeError, errors.CanceledError, concurrent.futures.CancelledError) as e:
                    return str(e)
            raise AssertionError("the channel never closed")

        with ThreadPoolExecutor(2) as threads:
            workers = [threads.submit(work) for _ in range(2)]
            started.wait(10)
            channel.close()
            refusals = {worker.result(20) for worker in workers}
        assert refusals <= {
            "channel name is closed",
            "the fake is closed",
            "the channel was closed",
            "",
        }


def test_the_package_exports_the_channel_and_client_for() -> None:
    assert sync.TChannel is client.TChannel
    assert sync.__all__ == ["TChannel", "client_for"]


class ThreadLoop:
    """What users bring: an event loop in a thread, by three methods."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread: threading.Thread | None = None
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def is_ready(self) -> bool:
        return self.thread is not None

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> concurrent.futures.Future[Any]:
        async def call() -> Any:
            return fn(*args)

        return asyncio.run_coroutine_threadsafe(call(), self.loop)

    def stop(self) -> None:
        if self.thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
        self.loop.close()


@pytest.fixture
def threadloop() -> Any:
    threadloop = ThreadLoop()
    yield threadloop
    threadloop.stop()


def test_a_threadloop_is_started_by_the_first_call_and_never_stopped(
    threadloop: ThreadLoop, make: Make, fake: Any
) -> None:
    channel = make("name", threadloop=threadloop)
    assert threadloop.starts == 0
    assert channel.json("service", "later", 1).result(10) == 1
    other = make("other", threadloop=threadloop)
    assert other.json("service", "later", 2).result(10) == 2
    assert threadloop.starts == 1
    assert [made.threads for made in fake.made] == [{threadloop.thread.ident}] * 2
    channel.close()
    assert fake.made[0].closed == [None]
    assert threadloop.thread.is_alive()
    assert other.json("service", "later", 3).result(10) == 3


def test_calls_on_a_threadloop_are_cancelled_and_refused_alike(
    threadloop: ThreadLoop, make: Make, fake: Any
) -> None:
    channel = make("name", threadloop=threadloop)
    future = channel.json("service", "wait")
    (made,) = fake.made
    assert made.begun.acquire(timeout=10)
    assert future.cancel()
    assert made.ended.wait(10)
    with pytest.raises(RuntimeError, match="thread of its own event loop"):
        channel.submit(lambda: channel.json("service", "echo").result()).result(10)


@pytest.mark.parametrize("missing", ["start", "is_ready", "submit"])
def test_a_threadloop_without_its_methods_is_refused(make: Make, missing: str) -> None:
    class Incomplete:
        start = is_ready = submit = print

    setattr(Incomplete, missing, None)
    with pytest.raises(TypeError, match=f"threadloop must have a method {missing}"):
        make("name", threadloop=Incomplete())


def test_a_threadloop_and_a_loop_factory_exclude_each_other(
    threadloop: ThreadLoop, make: Make
) -> None:
    with pytest.raises(ValueError, match="not both"):
        make("name", threadloop=threadloop, loop_factory=asyncio.new_event_loop)
