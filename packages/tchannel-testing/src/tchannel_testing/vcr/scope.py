"""Which cassette a call belongs to.

First the one of the call's context, if it is still open, or one that encloses it; this keeps
parallel tests apart. Else the innermost open one of the process: threads, executors, and tasks
older than the cassette have no context that knows it. A context's token is never reset: a fixture
may be torn down in another context than it was set up in.
"""

import atexit
import contextlib
import contextvars
import os
import threading
from collections.abc import Awaitable
from typing import Literal

from tchannel import errors, interceptors
from tchannel.interceptors import Call, Proceed, Reply

from .cassette import Cassette
from .exceptions import CannotRecordInteractionsError, VCRError
from .interaction import Failure, Request, Response

__all__ = ["Scope", "find"]

_current: contextvars.ContextVar["Scope | None"] = contextvars.ContextVar(
    "tchannel_testing.vcr", default=None
)
_lock = threading.Lock()
_open: list["Scope"] = []


class Scope:
    """The time during which a cassette is in the machine.

    :param cassette: the cassette; saved when the scope closes, and at the interpreter's exit.
    """

    def __init__(self, cassette: Cassette) -> None:
        self.cassette = cassette
        self.open: bool = False
        self._enclosing: Scope | None = None
        self._pid = os.getpid()

    def enter(self) -> None:
        """Take the calls of this context, and of those who have no cassette of their own."""
        current = _current.get()
        self._enclosing = current.nearest_open if current is not None else None
        with _lock:
            self.open = True
            _open.append(self)
            if len(_open) == 1:
                interceptors.add_outgoing(intercept)
        _current.set(self)

    def exit(self) -> None:
        """Let go and save. Calls that have not been answered by now are not recorded.

        :raises OSError: the file cannot be written.
        """
        with _lock:
            if not self.open:
                return
            self.open = False
            _open.remove(self)
            if not _open:
                interceptors.remove_outgoing(intercept)
        if _current.get() is self:
            _current.set(self._enclosing)
        self._save()

    def _save(self) -> None:
        if os.getpid() == self._pid:  # a forked child has its parent's recordings, not its own
            self.cassette.save()

    @property
    def is_current(self) -> bool:
        """Whether it is the innermost that this context has entered."""
        return _current.get() is self

    @property
    def nearest_open(self) -> "Scope | None":
        """Itself, or the nearest that encloses it and is still open."""
        scope: Scope | None = self
        while scope is not None and not scope.open:
            scope = scope._enclosing
        return scope


def find() -> Cassette | None:
    """The cassette for a call made here and now."""
    scope = _current.get()
    scope = scope.nearest_open if scope is not None else None
    if scope is None:
        with _lock:
            scope = _open[-1] if _open else None
    return scope.cassette if scope is not None else None


@atexit.register
def _save_open() -> None:
    """Lose nothing when the interpreter ends inside a cassette."""
    with contextlib.ExitStack() as stack:  # one that cannot be saved costs no other
        for scope in _open:
            stack.callback(scope._save)


def intercept(call: Call, proceed: Proceed) -> Awaitable[Reply] | Reply:
    """Stand between the calls of this process and the network; see ``tchannel.interceptors``."""
    cassette = find()
    if cassette is None:
        return proceed(call)
    if call.streaming or not isinstance(call.arg3, bytes):
        raise VCRError(
            f"{call.service}::{call.endpoint} streams its body, which a cassette cannot hold"
        )
    live = Request(
        service=call.service,
        endpoint=call.endpoint,
        headers=call.arg2,
        body=call.arg3,
        hostport=call.hostport or "",
        scheme=call.scheme,
        known_peers=list(call.known_peers),
        transport_headers=dict(call.headers),
    )
    request = cassette.prepare(live)
    if request is None:
        return proceed(call)
    played = cassette.play(request)
    if played is not None:
        if played.response is None:
            assert played.failure is not None, "an interaction has one of the two"
            raise played.failure.error(request)
        response = played.response
        return Reply(
            response.code, response.headers, response.body, dict(response.transport_headers)
        )
    if cassette.write_protected:
        raise CannotRecordInteractionsError(cassette.explain(request))
    return _record(cassette, live, call, proceed)


def _record(cassette: Cassette, live: Request, call: Call, proceed: Proceed) -> Awaitable[Reply]:
    place = cassette.reserve()
    answer = interceptors.as_future(proceed(call), call.channel.loop)

    def answered(future: "Awaitable[Reply]") -> None:
        if answer.cancelled():
            return
        error = answer.exception()
        try:
            if error is None:
                cassette.fill(place, live, _response(live, answer.result()))
            elif isinstance(error, errors.TChannelError) and not isinstance(
                error, errors.NoAvailablePeerError
            ):
                # Who found no peer asked nobody: recorded, a service that was not started at the first
                # run would be missing in every later one.
                cassette.fill(place, live, Failure.of(error))
        except Exception as problem:  # before_record is the user's; save() tells
            cassette.note_problem(problem)

    # Registered before anyone else waits: recorded before the caller sees the answer.
    answer.add_done_callback(answered)
    return answer


def _response(request: Request, reply: Reply) -> Response:
    if not isinstance(reply.arg3, bytes):
        raise VCRError(f"{request.service}::{request.endpoint} streams its answer")
    code: Literal[0, 1] = 1 if reply.code else 0
    return Response(code, reply.arg2, reply.arg3, dict(reply.headers))
