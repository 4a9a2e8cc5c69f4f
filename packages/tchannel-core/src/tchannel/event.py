"""Events of a channel: its calls, connections and peers, and the hooks that watch them.

Hooks watch; they cannot change a call (interceptors can, see `tchannel.interceptors`)::

    @channel.hooks.before_send_request
    def log_request(request):
        print(request.service, request.endpoint)

    channel.hooks.register(log_request, EventType.before_send_request)
    channel.hooks.register(MyHook())  # every method named like an event

A hook may be a coroutine function, or return another awaitable. The call waits for it before its headers
are encoded, before it is sent, before its handler is called, and before the caller sees the outcome
(`after_receive_response`, `after_receive_error`, and `on_exception` of the caller), though never beyond
its timeout or deadline; at the other events it runs beside the call. An exception in a hook is logged
and harms nothing else.
"""

from __future__ import annotations

import asyncio
import enum
import inspect
from collections.abc import Callable
from contextvars import Context
from functools import partial
from logging import Logger
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from weakref import WeakSet

from ._ground.log_fields import fields_of
from ._ground.logs import logger
from ._ground.tasks import as_future

if TYPE_CHECKING:
    from .channel import TChannel
    from .errors import TChannelError
    from .request import Request
    from .response import Response
    from .stats import CallEnded, ConnectionStats

__all__ = [
    "EventEmitter",
    "EventHook",
    "EventRegistrar",
    "EventType",
    "register_everywhere",
    "unregister_everywhere",
]

log: Logger = logger(__name__)

# A hook takes what its event gives, and what it returns is awaited or ignored.
Hook = Callable[..., object]
_HookT = TypeVar("_HookT", bound=Hook)
_AnyHookT = TypeVar("_AnyHookT")

# What an event of one argument has not got: any value may be the second of another.
_NONE: Final = object()


class EventType(enum.IntEnum):
    """What can be watched; `EventHook` says what each hook is called with, and when."""

    before_send_request = 0x00
    after_send_request = 0x01
    before_serialize_request_headers = 0x02
    before_send_response = 0x10
    after_send_response = 0x11
    before_receive_request = 0x20
    after_receive_request = 0x21
    before_receive_response = 0x30
    after_receive_response = 0x31
    after_receive_error = 0x41
    after_send_error = 0x42
    after_receive_system_error = 0x43
    after_receive_system_error_per_attempt = 0x44
    on_exception = 0x50
    on_operational_error = 0x51
    on_operational_error_per_attempt = 0x52
    on_retry = 0x53
    on_call_ended = 0x54
    on_call_served = 0x55
    on_connection_opened = 0x60
    on_connection_closed = 0x61
    on_handshake_failed = 0x62
    on_peer_penalised = 0x63
    on_peer_forgiven = 0x64
    on_peer_draining = 0x65
    on_draining = 0x66
    on_limit_reached = 0x67


class EventHook:
    """Base class of hooks: override the events to watch.

    ``request`` is the `tchannel.Request` of the call, ``response`` its `tchannel.Response`,
    ``error`` a `tchannel.errors.TChannelError` (of a server's `on_exception`: what the handler
    raised). All events of one call get the same request object. Its ``headers`` are the application
    headers (a dict, bytes in raw calls), ``transport.headers`` those of the protocol.
    """

    def before_send_request(self, request: Request) -> object:
        """A call, or another attempt of it, is about to be sent."""

    def after_send_request(self, request: Request) -> object:
        """An attempt was handed to its connection."""

    def before_serialize_request_headers(
        self, headers: dict[str, str] | None, service: str
    ) -> object:
        """The application headers of a call are about to be encoded; they may be changed.

        ``headers`` is None for raw calls: what they send is bytes already.
        """

    def before_send_response(self, response: Response) -> object:
        """The response of a handler is about to be sent."""

    def after_send_response(self, response: Response) -> object:
        """The response of a handler was handed to its connection."""

    def before_receive_request(self, request: Request) -> object:
        """An incoming call is about to be given to its handler, or refused because there is none."""

    def after_receive_request(self, request: Request) -> object:
        """An incoming call has arrived whole."""

    def before_receive_response(self, request: Request) -> object:
        """The response to a call begins to arrive."""

    def after_receive_response(self, request: Request, response: Response) -> object:
        """The response to a call has arrived whole, be its status OK or FAILED."""

    def after_receive_error(self, request: Request, error: TChannelError) -> object:
        """An attempt that was sent failed: by an error frame, a timeout, or a lost connection."""

    def after_send_error(self, error: TChannelError) -> object:
        """An incoming call was answered with an error frame."""

    def after_receive_system_error(self, request: Request, error: TChannelError) -> object:
        """A call failed in the end because its last peer answered with an error frame."""

    def after_receive_system_error_per_attempt(
        self, request: Request, error: TChannelError
    ) -> object:
        """An attempt failed because the peer answered with an error frame."""

    def on_exception(self, request: Request, error: BaseException) -> object:
        """A call failed in the end, or a handler raised what its interface does not declare.

        At the caller ``error`` is the `TChannelError` that it gets, whatever the reason. At the server
        it is what the handler raised; a plain function is called while that exception is being
        handled, so that `traceback` shows where it comes from.
        """

    def on_operational_error(self, request: Request, error: TChannelError) -> object:
        """A call failed in the end without an answer: timeout, connection, no peer."""

    def on_operational_error_per_attempt(self, request: Request, error: TChannelError) -> object:
        """An attempt failed without an answer: timeout, connection, no peer."""

    def on_retry(self, request: Request, retry: int) -> object:
        """An attempt failed and another follows: the first retry, the second and so on."""

    def on_call_ended(self, request: Request, ended: CallEnded) -> object:
        """A call that was made has ended; ``ended`` is a `tchannel.stats.CallEnded`."""

    def on_call_served(self, request: Request, ended: CallEnded) -> object:
        """An incoming call has ended, served or refused; ``ended`` is a `tchannel.stats.CallEnded`."""

    # -- connections and peers; `connection` is a `tchannel.stats.ConnectionStats` ----------------

    def on_connection_opened(self, connection: ConnectionStats) -> object:
        """A connection has shaken hands, whoever opened it."""

    def on_connection_closed(self, connection: ConnectionStats, reason: str) -> object:
        """A connection that had shaken hands is closed; ``reason`` is what the log says."""

    def on_handshake_failed(self, address: str, reason: str) -> object:
        """No connection came about: to the address that was called, or from that of a socket."""

    def on_peer_penalised(self, hostport: str, seconds: float) -> object:
        """A known peer is chosen last for so many seconds: it was busy, silent or not there."""

    def on_peer_forgiven(self, hostport: str) -> object:
        """The penalty of a known peer has ended, by a success."""

    def on_peer_draining(self, connection: ConnectionStats, reason: str) -> object:
        """The other side of a connection says that it leaves; it gets no calls of ours any more."""

    def on_draining(self, channel: TChannel) -> object:
        """The channel closes: its peers are told, and new calls are declined."""

    def on_limit_reached(self, name: str, limit: int) -> object:
        """Something was refused or closed because of a limit of `Options`, which has that name."""


class EventEmitter:
    """Calls the hooks of a channel.

    ``callbacks[event]`` is the tuple of hooks of an event: empty, hence false, when nobody listens.
    The hot path looks there first and then spares the call of `fire` and the making of its
    arguments.
    """

    __slots__ = ("__weakref__", "callbacks", "tasks")

    def __init__(self) -> None:
        # A list indexed by the event's number: hashing an enum member costs a Python call.
        self.callbacks: Final[list[tuple[Hook, ...]]] = [()] * (max(EventType) + 1)
        self.tasks: Final[set[asyncio.Future[object]]] = set()
        """Hooks that still run; the event loop holds its tasks weakly, so they are held here."""
        with _everywhere_lock:
            _emitters.add(self)
            for hook, event in _everywhere:
                self.register_hook(hook, event)

    def register_hook(self, hook: object, event_type: int | None = None) -> None:
        """Call `hook` at every `event_type`.

        Without one, every method of `hook` that is named like an event is called at that event.

        Raises:
            TypeError: A hook that cannot be called at its event.
            ValueError: An unknown event, or an object without any method named like an event.

        """
        for event, callback in _callbacks_of(hook, event_type):
            # A new tuple each time: events fired meanwhile, also in other threads, see old or new.
            self.callbacks[event] = (*self.callbacks[event], callback)

    def unregister_hook(self, hook: object, event_type: int | None = None) -> None:
        """Undo `register_hook` with the same arguments; what is not registered is ignored."""
        for event, callback in _callbacks_of(hook, event_type):
            self.callbacks[event] = tuple(
                other for other in self.callbacks[event] if other != callback
            )

    # Not by *args, of which each call makes a tuple and unpacks it again: 0.15 % of a small call.
    def fire(
        self,
        event: int,
        subject: object,
        outcome: object = _NONE,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> list[asyncio.Future[object]] | None:
        """Call the hooks of `event` with its one or two arguments; in the channel's loop.

        Returns:
            What still runs of them, for those who wait for it; None when nothing does.

        """
        running: list[asyncio.Future[object]] | None = None
        for callback in self.callbacks[event]:
            try:
                result = callback(subject) if outcome is _NONE else callback(subject, outcome)
                if result is not None and inspect.isawaitable(result):
                    task = as_future(result, loop)
                    running = [task] if running is None else [*running, task]
                    self.tasks.add(task)
                    task.add_done_callback(partial(self._hook_ended, subject))
            # CancelledError as well: of a future that the hook looked at, not of the call.
            except (Exception, asyncio.CancelledError):
                log.exception(
                    "hook %r failed at %s",
                    callback,
                    EventType(event).name,
                    extra=fields_of(subject),
                )
        return running

    def _hook_ended(self, subject: object, task: asyncio.Future[object]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hook %r failed", task, exc_info=error, extra=fields_of(subject))


_everywhere: Final[list[tuple[object, int | None]]] = []
_emitters: Final[WeakSet[EventEmitter]] = WeakSet()
_everywhere_lock: Final = Lock()


def register_everywhere(hook: object, event_type: int | None = None) -> None:
    """Register a hook on every channel of this process, those to come as well.

    Args:
        hook: As for `EventRegistrar.register`.
        event_type: The event; by default those that the hook's methods are named after.

    Raises:
        TypeError: A hook that cannot be called at its event.
        ValueError: An unknown event, or an object without any method named like an event.

    """
    _callbacks_of(hook, event_type)
    with _everywhere_lock:
        _everywhere.append((hook, event_type))
        for emitter in list(_emitters):
            emitter.register_hook(hook, event_type)


def unregister_everywhere(hook: object, event_type: int | None = None) -> None:
    """Undo `register_everywhere` with the same arguments; what is not registered is ignored."""
    with _everywhere_lock:
        if (hook, event_type) in _everywhere:
            _everywhere.remove((hook, event_type))
            for emitter in list(_emitters):
                emitter.unregister_hook(hook, event_type)


def when_ended(tasks: list[asyncio.Future[object]], callback: Callable[[], object]) -> None:
    """Call ``callback()`` once all of ``tasks``, hooks that still run, have ended."""
    left = len(tasks)

    def ended(_: asyncio.Future[object]) -> None:
        nonlocal left
        left -= 1
        if not left:
            callback()

    for task in tasks:
        task.add_done_callback(ended, context=Context())


def _callbacks_of(hook: object, event_type: int | None) -> list[tuple[EventType, Hook]]:
    if event_type is not None:
        if not callable(hook):
            raise TypeError(f"hook must be callable, not {hook!r}")
        try:
            return [(EventType(event_type), hook)]
        except ValueError:
            raise ValueError(f"event_type must be an EventType, not {event_type!r}") from None
    if inspect.isclass(hook):
        raise TypeError(f"hook must be an object, not the class {hook.__name__}: call it first")
    callbacks = []
    for event in EventType:
        method = getattr(hook, event.name, None)
        # Methods inherited from EventHook do nothing; registering them would slow every call.
        if callable(method) and getattr(method, "__func__", None) is not getattr(
            EventHook, event.name
        ):
            callbacks.append((event, method))
    if not callbacks and not isinstance(hook, EventHook):
        raise ValueError(f"hook {hook!r} has no method named like an event; or give event_type")
    return callbacks


class _Register(Protocol):
    def __call__(self, hook: _HookT, /) -> _HookT: ...


class EventRegistrar:
    """``channel.hooks``: registers hooks on a channel."""

    before_send_request: _Register
    after_send_request: _Register
    before_serialize_request_headers: _Register
    before_send_response: _Register
    after_send_response: _Register
    before_receive_request: _Register
    after_receive_request: _Register
    before_receive_response: _Register
    after_receive_response: _Register
    after_receive_error: _Register
    after_send_error: _Register
    after_receive_system_error: _Register
    after_receive_system_error_per_attempt: _Register
    on_exception: _Register
    on_operational_error: _Register
    on_operational_error_per_attempt: _Register
    on_retry: _Register
    on_call_ended: _Register
    on_call_served: _Register
    on_connection_opened: _Register
    on_connection_closed: _Register
    on_handshake_failed: _Register
    on_peer_penalised: _Register
    on_peer_forgiven: _Register
    on_peer_draining: _Register
    on_draining: _Register
    on_limit_reached: _Register

    def __init__(self, event_emitter: EventEmitter) -> None:
        self.event_emitter = event_emitter

    def register(self, hook: _AnyHookT, event_type: int | None = None) -> _AnyHookT:
        """Call `hook` at `event_type`, or its methods at the events they are named after.

        Returns:
            The hook.

        Raises:
            TypeError: A hook that cannot be called at its event.
            ValueError: An unknown event, or an object without any method named like an event.

        """
        self.event_emitter.register_hook(hook, event_type)
        return hook

    def unregister(self, hook: object, event_type: int | None = None) -> None:
        """Undo `register` with the same arguments; what is not registered is ignored."""
        self.event_emitter.unregister_hook(hook, event_type)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> _Register:
            event = EventType.__members__.get(name)
            if event is None:
                raise AttributeError(f"no event is named {name!r}")

            def register(hook):
                self.register(hook, event)
                return hook

            return register
