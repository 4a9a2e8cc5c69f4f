"""Hooks: how they are registered, what they are called with, and that they harm no call."""

import asyncio
import logging
import traceback
from typing import Any

import pytest
from tornado import gen

from tchannel.channel import TChannel
from tchannel.event import EventEmitter, EventHook, EventRegistrar, EventType

VALUES = {
    "before_send_request": 0x00,
    "after_send_request": 0x01,
    "before_serialize_request_headers": 0x02,
    "before_send_response": 0x10,
    "after_send_response": 0x11,
    "before_receive_request": 0x20,
    "after_receive_request": 0x21,
    "before_receive_response": 0x30,
    "after_receive_response": 0x31,
    "after_receive_error": 0x41,
    "after_send_error": 0x42,
    "after_receive_system_error": 0x43,
    "after_receive_system_error_per_attempt": 0x44,
    "on_exception": 0x50,
    "on_operational_error": 0x51,
    "on_operational_error_per_attempt": 0x52,
    "on_retry": 0x53,
    "on_call_ended": 0x54,
    "on_call_served": 0x55,
    "on_connection_opened": 0x60,
    "on_connection_closed": 0x61,
    "on_handshake_failed": 0x62,
    "on_peer_penalised": 0x63,
    "on_peer_forgiven": 0x64,
    "on_peer_draining": 0x65,
    "on_draining": 0x66,
    "on_limit_reached": 0x67,
}


@pytest.fixture
def emitter() -> EventEmitter:
    return EventEmitter()


@pytest.fixture
def hooks(emitter: EventEmitter) -> EventRegistrar:
    return EventRegistrar(emitter)


def test_event_numbers_are_those_users_know() -> None:
    assert {event.name: event.value for event in EventType} == VALUES


@pytest.mark.parametrize("event", EventType)
def test_every_event_has_a_method_and_a_decorator_and_no_callback_at_first(
    event: EventType, emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    assert callable(getattr(EventHook, event.name))
    assert emitter.callbacks[event] == ()
    seen: list[tuple[Any, ...]] = []

    @getattr(hooks, event.name)
    def hook(*args: Any) -> None:
        seen.append(args)

    assert emitter.callbacks[event] == (hook,)
    emitter.fire(event, 1, 2)
    assert seen == [(1, 2)]


def test_a_function_hears_its_event_only(emitter: EventEmitter, hooks: EventRegistrar) -> None:
    seen: list[str] = []
    assert hooks.register(seen.append, EventType.before_send_request) == seen.append
    hooks.register(seen.append, 0x42)
    for event in EventType:
        emitter.fire(event, event.name)
    assert seen == ["before_send_request", "after_send_error"]


def test_hooks_are_called_in_the_order_of_their_registration(
    emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    seen: list[int] = []
    for number in range(3):
        hooks.register(lambda _, number=number: seen.append(number), EventType.after_send_error)
    emitter.fire(EventType.after_send_error, None)
    assert seen == [0, 1, 2]


def test_an_object_hears_the_events_that_it_overrides(
    emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    class Hook(EventHook):
        seen: list[Any] = []

        def after_receive_response(self, request: Any, response: Any) -> None:
            self.seen.append((request, response))

    hook = Hook()
    assert hooks.register(hook) is hook
    for event in EventType:
        emitter.fire(event, "request", "response")
    assert hook.seen == [("request", "response")]
    assert sum(len(callbacks) for callbacks in emitter.callbacks) == 1


def test_an_object_of_any_class_does(emitter: EventEmitter, hooks: EventRegistrar) -> None:
    class Hook:
        seen: list[Any] = []

        def after_send_error(self, error: Any) -> None:
            self.seen.append(error)

    hook = Hook()
    hooks.register(hook)
    emitter.fire(EventType.after_send_error, "error")
    assert hook.seen == ["error"]


def test_a_hook_without_anything_to_hear_is_refused(hooks: EventRegistrar) -> None:
    with pytest.raises(ValueError, match="no method named like an event"):
        hooks.register(object())
    with pytest.raises(ValueError, match="event_type must be an EventType, not 153"):
        hooks.register(print, 0x99)
    with pytest.raises(TypeError, match="hook must be callable, not 'x'"):
        hooks.register("x", EventType.after_send_error)
    with pytest.raises(TypeError, match="the class EventHook: call it first"):
        hooks.register(EventHook)
    with pytest.raises(AttributeError, match="before_send_reqest"):
        hooks.before_send_reqest  # noqa: B018 - reading it is the test


def test_an_unregistered_hook_is_not_called_any_more(
    emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    class Hook(EventHook):
        def after_send_error(self, error: Any) -> None:
            raise AssertionError

    hook = Hook()
    hooks.register(hook)
    hooks.register(print, EventType.after_send_error)
    hooks.unregister(hook)
    hooks.unregister(hook)
    assert emitter.callbacks[EventType.after_send_error] == (print,)
    hooks.unregister(print, EventType.after_send_error)
    assert not any(emitter.callbacks)


def test_an_exception_is_logged_and_the_next_hook_is_called(
    emitter: EventEmitter, hooks: EventRegistrar, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    @hooks.on_exception
    def bad(request: Any, error: Any) -> None:
        raise KeyError("bad hook")

    hooks.on_exception(lambda request, error: seen.append(error))
    emitter.fire(EventType.on_exception, "request", "error")
    assert seen == ["error"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.name == "tchannel.event"
    assert "on_exception" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


def test_a_plain_hook_sees_the_exception_being_handled(
    emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    seen: list[str] = []
    hooks.on_exception(lambda request, error: seen.append(traceback.format_exc()))
    try:
        raise LookupError("from the handler")
    except LookupError as error:
        emitter.fire(EventType.on_exception, None, error)
    assert "from the handler" in seen[0]


async def test_coroutine_hooks_run_as_tasks_that_are_held(
    emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    release = asyncio.Event()
    seen: list[str] = []

    @hooks.before_send_request
    async def native(request: str) -> None:
        await release.wait()
        seen.append("native " + request)

    @hooks.before_send_request
    @gen.coroutine
    def old_style(request: str) -> Any:
        yield release.wait()
        seen.append("old " + request)

    emitter.fire(EventType.before_send_request, "request")
    assert seen == []
    assert len(emitter.tasks) == 2
    release.set()
    await asyncio.wait(emitter.tasks)
    assert sorted(seen) == ["native request", "old request"]
    assert emitter.tasks == set()


async def test_an_exception_of_a_coroutine_hook_is_logged(
    emitter: EventEmitter, hooks: EventRegistrar, caplog: pytest.LogCaptureFixture
) -> None:
    @hooks.after_send_error
    async def bad(error: Any) -> None:
        raise KeyError("bad hook")

    emitter.fire(EventType.after_send_error, None)
    await asyncio.wait(emitter.tasks)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


async def test_a_cancelled_coroutine_hook_is_no_error(
    emitter: EventEmitter, hooks: EventRegistrar, caplog: pytest.LogCaptureFixture
) -> None:
    @hooks.after_send_error
    async def slow(error: Any) -> None:
        await asyncio.Event().wait()

    emitter.fire(EventType.after_send_error, None)
    (task,) = emitter.tasks
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert emitter.tasks == set()
    assert caplog.records == []


def test_a_hook_registered_while_an_event_fires_hears_the_next_one(
    emitter: EventEmitter, hooks: EventRegistrar
) -> None:
    seen: list[str] = []

    @hooks.after_send_error
    def first(error: Any) -> None:
        if not seen:
            hooks.register(seen.append, EventType.after_send_error)
            seen.append("first")

    emitter.fire(EventType.after_send_error, "1")
    assert seen == ["first"]
    emitter.fire(EventType.after_send_error, "2")
    assert seen == ["first", "2"]


async def test_all_events_of_a_call_get_the_same_request() -> None:
    """What a hook keeps about a request at one event, it finds again at the next."""
    held: list[Any] = []

    class Hook(EventHook):
        def before_send_request(self, request: Any) -> None:
            held.append(request)

        def after_send_request(self, request: Any) -> None:
            held.append(request)

        def before_receive_response(self, request: Any) -> None:
            held.append(request)

        def after_receive_response(self, request: Any, response: Any) -> None:
            held.append(request)

    async with TChannel("server", "127.0.0.1:0") as server, TChannel("client") as client:
        server.raw.register("echo", lambda request: request.body)
        server.listen()
        client.hooks.register(Hook())
        await client.raw("server", "echo", b"x", hostport=server.hostport)
    assert len(held) == 4
    assert len({id(request) for request in held}) == 1
    assert (held[0].service, held[0].endpoint, held[0].body) == ("server", "echo", b"x")
    assert held[0].transport.caller_name == "client"
