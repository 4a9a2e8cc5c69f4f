"""The channel for plain threads."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import socket
import threading
import warnings
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, Self, TypeVar, overload

from .._ground.process import after_fork_in_child, drop_for_good
from ..channel import TChannel as AsyncTChannel
from .future import CallFuture
from .loops import BorrowedLoop, LoopFactory, LoopThread, ThreadLoop
from .schemes import JsonArgScheme, RawArgScheme, ThriftArgScheme, refuse_register

if TYPE_CHECKING:
    import tchannel_wire as wire

    from .._calls.spans import Trace
    from .._ground.timeouts import Timeout
    from ..event import EventRegistrar
    from ..interceptors import Interceptors
    from ..options import Options
    from ..peer_sources import PeerSource
    from ..response import Response
    from ..stats import Snapshot

__all__ = ["TChannel"]

_T = TypeVar("_T")
_P = ParamSpec("_P")

# In seconds: what calls in flight get at the interpreter's exit, and how long it waits at most for
# the channel to close, and then for its thread to end.
_EXIT_GRACE = 0.01
_EXIT_TIMEOUT = 1.0

# Channels whose loop runs.
_running: weakref.WeakSet[TChannel] = weakref.WeakSet()
# Those of them that do something although nobody holds them: they listen, or are advertised.
_at_work: set[TChannel] = set()
_lock = threading.Lock()


class TChannel:
    """A channel for plain threads: calls return `concurrent.futures.Future`.

    It wraps a `tchannel.TChannel` that lives in an event loop in a thread of its own, started by
    the first call. Any number of threads may use it at once. It makes calls only: handlers are
    registered on a `tchannel.TChannel`. Hooks and interceptors run in the loop's thread, in the
    context of the calling thread.

    A forked child gets a new loop, thread and connections with its first call. At the interpreter's
    exit, what is still open is closed and never waited for longer than two seconds.

    Args:
        name: How this application identifies itself.
        hostport: The address to listen on, should `listen` or `advertise` be called.
        process_name: How this process identifies itself to its peers.
        known_peers: Peers to send calls to.
        trace: Whether calls are traced.
        threadloop: An object with ``start()``, ``is_ready()`` and ``submit(fn, *args)`` that runs an
            event loop in a thread; it is started if need be and never stopped. Default: a loop and
            a thread of the channel's own.
        loop_factory: Makes the channel's own loop, for instance ``uvloop.new_event_loop``.
        options: What else `tchannel.TChannel` takes, by keyword.

    Raises:
        ServiceNameIsRequiredError: An empty name.
        TypeError: A threadloop that lacks a method.
        ValueError: Both `threadloop` and `loop_factory`.

    """

    def __init__(
        self,
        name: str,
        hostport: str | None = None,
        process_name: str | None = None,
        known_peers: Iterable[str] | PeerSource | None = None,
        trace: Trace = False,
        threadloop: ThreadLoop | None = None,
        *,
        loop_factory: LoopFactory | None = None,
        # Any: the options are those of the async channel, which checks them.
        **options: Any,
    ) -> None:
        if threadloop is not None:
            if loop_factory is not None:
                raise ValueError("give threadloop or loop_factory, not both")
            for method in ("start", "is_ready", "submit"):
                if not callable(getattr(threadloop, method, None)):
                    raise TypeError(f"threadloop must have a method {method}: {threadloop!r}")
        self._channel = AsyncTChannel(name, hostport, process_name, known_peers, trace, **options)
        self._threadloop = threadloop
        self._loop_factory = loop_factory
        self._loop: LoopThread | BorrowedLoop | None = None
        self._closing: Future[None] | None = None
        self._closing_pid = 0
        self._lost: weakref.finalize[..., TChannel] | None = None

    # -- calls --------------------------------------------------------------------------------

    @overload
    def submit(
        self, function: Callable[_P, Awaitable[_T]], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T]: ...

    @overload
    def submit(
        self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T]: ...

    def submit(
        self, function: Callable[..., object], /, *args: object, **kwargs: object
    ) -> Future[Any]:  # of what the overloads say
        """Call ``function(*args, **kwargs)`` in the channel's event loop.

        Returns:
            A future of what it returns, or, if that is awaitable, of what it gives in the end.
            Cancelling the future cancels that.

        It may be called by the loop's own thread, in a callback of another call or a hook; only waiting
        for the future is refused there.

        Raises:
            RuntimeError: The channel is closed.

        """
        if self._closing is not None:
            raise RuntimeError(f"channel {self.name} is closed")
        return self._submit(function, args, kwargs)

    def _submit(
        self,
        function: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> CallFuture[object]:
        loop = self._loop
        if loop is None or loop.pid != os.getpid():
            loop = self._start()
        future: CallFuture[object] = CallFuture(loop.pending, loop, self)
        loop.pending.add(future)
        try:
            # The cheapest way into the loop: run_coroutine_threadsafe is a sixth slower.
            loop.call_soon(future.begin, function, args, kwargs)
        except RuntimeError:
            loop.pending.discard(future)
            if self._closing is None:
                raise
            raise RuntimeError(f"channel {self.name} is closed") from None
        return future

    def call(
        self,
        scheme: str,
        service: str,
        arg1: str,
        arg2: bytes | str | None = None,
        arg3: bytes | str | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        routing_delegate: str | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        tracing_span: wire.Tracing | None = None,
        trace: Trace | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        routing_key: str | None = None,
    ) -> Future[Response]:
        """Make a call on bytes; arguments as of `tchannel.TChannel.call`.

        Returns:
            A future of the response; cancelling it cancels the call.

        """
        return self.submit(
            self._channel.call,
            scheme,
            service,
            arg1,
            arg2,
            arg3,
            timeout,
            retry_on,
            retry_limit,
            routing_delegate,
            hostport,
            shard_key,
            tracing_span,
            trace,
            caller_name,
            deadline=deadline,
            routing_key=routing_key,
        )

    @functools.cached_property
    def raw(self) -> RawArgScheme:
        """Makes raw calls: ``channel.raw(service, endpoint, body)``."""
        return RawArgScheme(self, self._channel.raw)

    @functools.cached_property
    def json(self) -> JsonArgScheme:
        """Makes JSON calls: ``channel.json(service, endpoint, body)``."""
        return JsonArgScheme(self, self._channel.json)

    @functools.cached_property
    def thrift(self) -> ThriftArgScheme:
        """Makes Thrift calls: ``channel.thrift(module.Service.method(...))``.

        Raises:
            ImportError: tchannel-thrift is not installed; the message says how to install it.

        """
        return ThriftArgScheme(self, self._channel.thrift)

    def advertise(
        self,
        routers: Iterable[str] | None = None,
        name: str | None = None,
        timeout: Timeout = None,
        router_file: str | os.PathLike[str] | None = None,
        jitter: float | None = None,
        # What tchannel-hyperbahn takes besides.
        **kwargs: object,
    ) -> Future[Response]:
        """Advertise with Hyperbahn; arguments as of `tchannel.TChannel.advertise`.

        Returns:
            A future of the answer to the first advertisement.

        """
        _at_work.add(self)
        return self.submit(
            self._channel.advertise, routers, name, timeout, router_file, jitter, **kwargs
        )

    def unadvertise(self, name: str | None = None) -> Future[object]:
        """Take one advertisement back, or all; see `tchannel.TChannel.unadvertise`."""
        return self.submit(self._channel.unadvertise, name)

    def register(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Say where handlers live.

        Raises:
            NotImplementedError: Always.

        """
        refuse_register()

    # -- the channel --------------------------------------------------------------------------

    @property
    def channel(self) -> AsyncTChannel:
        """The async channel that does the work; to be used in its own loop only, by `submit`."""
        return self._channel

    @property
    def name(self) -> str:
        """How this application identifies itself."""
        return self._channel.name

    @property
    def process_name(self) -> str:
        """How this process identifies itself to its peers."""
        return self._channel.process_name

    @property
    def hostport(self) -> str:
        """The address given, and once it listens the one bound."""
        return self._channel.hostport

    @property
    def host(self) -> str:
        """The host of `hostport`."""
        return self._channel.host

    @property
    def port(self) -> int:
        """The port of `hostport`."""
        return self._channel.port

    @property
    def options(self) -> Options:
        """Limits and defaults."""
        return self._channel.options

    @property
    def hooks(self) -> EventRegistrar:
        """Registers hooks; they run in the loop's thread and must not wait."""
        return self._channel.hooks

    @property
    def interceptors(self) -> Interceptors:
        """The interceptors of this channel; they run in the loop's thread and must not wait."""
        return self._channel.interceptors

    def listen(self, port: int | None = None, *, sock: socket.socket | None = None) -> None:
        """Listen, for peers that look after the health of this process; returns once it does.

        The arguments and errors are those of `tchannel.TChannel.listen`.
        """
        self._check_thread("listen")
        self.submit(self._channel.listen, port, sock=sock).result()
        _at_work.add(self)

    def is_listening(self) -> bool:
        """Whether it listens."""
        return self._channel.is_listening()

    def stats(self, most: int | None = None) -> Snapshot:
        """Return what the channel has done and is doing; as `tchannel.TChannel.stats`.

        It starts the channel's loop, if that does not run yet.

        Raises:
            RuntimeError: The channel is closed, or its own thread asks, which would wait for itself.

        """
        self._check_thread("tell its stats")
        told: Snapshot = self.submit(self._channel.stats, most).result()
        return told

    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    def close(self, grace: Timeout = None) -> None:
        """Close the channel, and wait until it is closed.

        Calls in flight may end within the grace; then they fail. Several threads may call it: each
        waits until it is closed. Afterwards calls raise RuntimeError.

        Args:
            grace: How long calls in flight may take, in seconds; default ``options.close_grace``.

        Raises:
            RuntimeError: Called by the loop's own thread, which would wait for itself.

        """
        self._check_thread("be closed")
        pid = os.getpid()
        with _lock:
            first = self._closing is None
            if first:
                self._closing, self._closing_pid = Future(), pid
            closing = self._closing
            loop = self._loop
            _running.discard(self)
            _at_work.discard(self)
        if self._lost is not None:
            self._lost.detach()
        assert closing is not None
        if not first:
            # A child forked while its parent closed would wait for a thread that it has not.
            if self._closing_pid == pid:
                closing.result()
            return
        try:
            if loop is not None and loop.pid == pid:
                try:
                    self._submit(self._channel.close, (grace,), {}).result()
                finally:
                    loop.stop()
        finally:
            closing.set_result(None)

    def _check_thread(self, what: str) -> None:
        loop = self._loop
        if loop is not None and loop.pid == os.getpid() and loop.ident == threading.get_ident():
            raise RuntimeError(
                f"a sync channel cannot {what} in the thread of its own event loop, which would wait"
                " for itself"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = "" if self._closing is None else "closed "
        return f"<{closed}sync of {self._channel!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"channel {self.name} cannot be copied or pickled, with its connections and thread:"
            " make another where one is needed"
        )

    # -- the loop -----------------------------------------------------------------------------

    def _start(self) -> LoopThread | BorrowedLoop:
        with _lock:
            loop, pid = self._loop, os.getpid()
            if loop is not None and loop.pid == pid:
                return loop  # another thread was faster
            if self._closing is not None:
                raise RuntimeError(f"channel {self.name} is closed")
            if loop is not None:
                if self._threadloop is not None:
                    raise RuntimeError(
                        "the threadloop of this channel runs in the parent of this process:"
                        " make a channel and a threadloop after the fork"
                    )
                # A forked child: the loop shares the selector of the parent's; closing it, or letting
                # it be collected, would unhook the parent.
                drop_for_good(loop)
            if self._threadloop is not None:
                loop = BorrowedLoop(self._threadloop)
            else:
                loop = LoopThread(self._loop_factory, f"tchannel-{self.name}")
            self._loop = loop
            self._lost = weakref.finalize(self, _lose, self.name, loop, self._channel)
            self._lost.atexit = False
            _running.add(self)
            return loop

    def _close_at_exit(self) -> None:
        loop = self._loop
        if loop is None or loop.pid != os.getpid() or isinstance(loop, BorrowedLoop):
            return
        self._closing, self._closing_pid = Future(), loop.pid
        try:
            self._submit(self._channel.close, (_EXIT_GRACE,), {}).result(_EXIT_TIMEOUT)
        except Exception:
            pass
        loop.stop(_EXIT_TIMEOUT)
        self._closing.set_result(None)


def _lose(name: str, loop: LoopThread | BorrowedLoop, channel: AsyncTChannel) -> None:
    """End what a channel leaves that was collected; in whatever thread that happened."""
    if loop.pid != os.getpid():
        return
    warnings.warn(f"unclosed sync channel {name}: call close()", ResourceWarning, stacklevel=2)

    def end() -> None:
        channel.close(0).add_done_callback(lambda _: loop.end())

    with contextlib.suppress(RuntimeError):  # its loop is over already
        loop.call_soon(end)


@atexit.register
def _close_all() -> None:
    for channel in list(_running):
        channel._close_at_exit()  # noqa: SLF001  # of this module's own class


def _forget_parent() -> None:
    # A thread of the parent may have held the lock at the moment of the fork; in the child it
    # would stay held for ever.
    global _lock
    _lock = threading.Lock()
    _running.clear()
    _at_work.clear()


after_fork_in_child(_forget_parent)
