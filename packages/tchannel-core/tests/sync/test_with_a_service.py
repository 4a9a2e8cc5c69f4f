"""The sync channel calling a service over TCP, in one process."""

import asyncio
import concurrent.futures
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tchannel import Response, TChannel, errors, sync
from tchannel.event import EventHook
from tchannel.interceptors import Reply
from tchannel.status import FAILED
from tchannel.sync.loops import LoopThread


class Service:
    """A channel that serves in a loop and thread of its own."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.cancelled = threading.Event()
        self.ready = threading.Event()
        self.thread = LoopThread(None, "service")
        self.thread.call_soon(self.serve)
        assert self.ready.wait(10)

    def serve(self) -> None:
        self.channel = TChannel("service", "127.0.0.1:0")

        @self.channel.raw.register
        def echo(request: Any) -> Any:
            return Response(request.body, request.headers)

        @self.channel.json.register
        async def double(request: Any) -> Any:
            await asyncio.sleep(0)
            return request.body * 2

        @self.channel.json.register
        def fail(request: Any) -> Any:
            return Response({"message": "no"}, status=FAILED)

        @self.channel.json.register
        def whither(request: Any) -> Any:
            return request.transport.routing_key

        @self.channel.raw.register("strings", string_headers=True)
        def strings(request: Any) -> Any:
            return Response(request.transport.routing_key, request.headers)

        @self.channel.json.register
        async def wait(request: Any) -> None:
            self.begun.release()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()

        self.channel.listen()
        self.ready.set()

    def close(self) -> None:
        closed = threading.Event()
        self.thread.call_soon(
            lambda: self.channel.close(0.01).add_done_callback(lambda _: closed.set())
        )
        assert closed.wait(10)
        self.thread.stop()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def channel(
    service: Service, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> Iterator[sync.TChannel]:
    with sync.TChannel(
        "client", known_peers=[service.channel.hostport], loop_factory=loop_factory
    ) as channel:
        yield channel
        channel.close(0.01)


def test_calls_of_each_kind_are_answered(channel: sync.TChannel) -> None:
    raw = channel.raw("service", "echo", "body", b"headers").result(10)
    assert (raw.body, raw.headers, raw.status) == (b"body", b"headers", 0)
    assert channel.json("service", "double", [1], {"a": "b"}).result(10).body == [1, 1]
    failed = channel.json("service", "fail").result(10)
    assert (failed.body, failed.status) == ({"message": "no"}, FAILED)
    call = channel.call("raw", "service", "echo", b"2", b"3").result(10)
    assert (call.headers, call.body) == (b"2", b"3")


def test_a_routing_key_goes_with_calls_of_each_kind(channel: sync.TChannel) -> None:
    assert channel.json("service", "whither", routing_key="canary").result(10).body == "canary"
    call = channel.call("json", "service", "whither", b"", b"null", routing_key="blue").result(10)
    assert call.body == b'"blue"'


def test_raw_headers_may_be_strings(channel: sync.TChannel) -> None:
    response = channel.raw(
        "service", "strings", b"", {"k": "v"}, routing_key="canary", string_headers=True
    ).result(10)

    assert (response.headers, response.body) == ({"k": "v"}, b"canary")


def test_any_thread_may_ask_what_the_channel_has_done(channel: sync.TChannel) -> None:
    channel.json("service", "double", [1]).result(10)

    (row,) = channel.stats(most=5).outgoing
    assert (row.endpoint, row.outcomes) == ("double", {"success": 1})
    in_its_own = channel.submit(channel.stats)
    with pytest.raises(
        RuntimeError, match="cannot tell its stats in the thread of its own event loop"
    ):
        in_its_own.result(10)
    with pytest.raises(ValueError, match="most must not be negative"):
        channel.stats(-1)


def test_a_large_body_comes_back_whole(channel: sync.TChannel) -> None:
    body = bytes(range(256)) * 4096
    assert channel.raw("service", "echo", body).result(30).body == body


def test_errors_say_what_was_called(channel: sync.TChannel, service: Service) -> None:
    error = channel.json("service", "nowhere").exception(10)
    assert isinstance(error, errors.BadRequestError)
    assert (error.service, error.endpoint) == ("service", "nowhere")
    assert error.peer == service.channel.hostport


def test_a_timeout_is_an_error_of_the_future(channel: sync.TChannel) -> None:
    with pytest.raises(TimeoutError) as caught:
        channel.json("service", "wait", timeout=0.01).result(10)
    assert isinstance(caught.value, errors.TimeoutError)


def test_mistakes_are_errors_of_the_future(channel: sync.TChannel) -> None:
    with pytest.raises(ValueError, match="timeout must not be negative"):
        channel.json("service", "double", timeout=-1).result(10)
    with pytest.raises(errors.ServiceNameIsRequiredError):
        channel.json("", "double").result(10)


def test_cancelling_reaches_the_handler(channel: sync.TChannel, service: Service) -> None:
    service.cancelled.clear()
    while service.begun.acquire(blocking=False):
        pass
    future = channel.json("service", "wait")
    assert service.begun.acquire(timeout=10)
    assert future.cancel()
    assert service.cancelled.wait(10)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(10)


def test_sixteen_threads_get_their_own_answers(channel: sync.TChannel) -> None:
    def work(number: int) -> list[int]:
        futures = [channel.json("service", "double", number * 100 + i) for i in range(50)]
        return [future.result(30).body for future in futures]

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(work, range(16)))
    assert results == [[2 * (number * 100 + i) for i in range(50)] for number in range(16)]


def test_hooks_and_interceptors_see_the_calls(channel: sync.TChannel) -> None:
    seen: list[Any] = []

    class Hook(EventHook):
        def before_send_request(self, request: Any) -> None:
            seen.append(("hook", request.endpoint))

    def intercept(call: Any, proceed: Any) -> Any:
        seen.append(("interceptor", call.endpoint))
        return Reply(0, b"", b"from the interceptor") if call.endpoint == "mine" else proceed(call)

    channel.hooks.register(Hook())
    channel.interceptors.outgoing.append(intercept)
    assert channel.raw("service", "echo", b"x").result(10).body == b"x"
    assert channel.raw("service", "mine").result(10).body == b"from the interceptor"
    assert seen == [("interceptor", "echo"), ("hook", "echo"), ("interceptor", "mine")]


def test_it_listens_at_once(channel: sync.TChannel) -> None:
    channel.listen()
    assert channel.is_listening()
    with socket.create_connection((channel.host, channel.port), 10):
        pass


def test_closing_ends_calls_in_flight(channel: sync.TChannel, service: Service) -> None:
    while service.begun.acquire(blocking=False):
        pass
    future = channel.json("service", "wait", timeout=5)
    assert service.begun.acquire(timeout=10)
    channel.close(0.01)
    # Not a TimeoutError: the close must not wait for the call's own timeout.
    assert isinstance(future.exception(10), errors.NetworkError)
