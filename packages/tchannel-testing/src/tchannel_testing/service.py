"""A service that answers as a test tells it to, and remembers who called.

::

    async with FakeService("keyvalue") as service:
        service.on("get").answers(b"value")
        service.on("set").fails(errors.BUSY).answers(b"")       # busy once, then fine
        service.on("slow").delays(0.5).answers(b"late")
        service.on("stats", "json").answers({"keys": 1})
        ...
        service.assert_called_with("get", body=b"key")

It is a real channel that listens on a real port: callers need not know that they are in a test.
"""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import NoReturn, Self

from tchannel import Request, Response, TChannel, clock, errors

from .calls import Calls, ReceivedCall

__all__ = ["FakeService", "Programme"]

Step = Callable[[Request], object]
"""Takes the request; returns the answer or an awaitable of it."""


class Programme:
    """What an endpoint does, call by call: one step each, and the last one for ever.

    The methods add steps and return the programme, so that they can be chained.

    :param channel: whose clock delays use.
    :param default: what happens as long as no step was added.
    :param scheme: the endpoint's arg scheme.
    """

    def __init__(self, channel: TChannel, default: Step, scheme: str) -> None:
        self.scheme = scheme
        self._channel = channel
        self._default = default
        self._steps: list[Step] = []
        self._by_number: dict[int, Step] = {}
        self._number: int | None = None
        self._delay = 0.0
        self._count = 0

    def answers(self, body: object = None, headers: object = None, status: int = 0) -> Self:
        """Answer with this body, of the type that the endpoint's scheme encodes.

        :param status: 0, or 1 for an application error.
        :raises TypeError: a raw endpoint cannot answer with it, or a json one.
        :raises ValueError: ``status`` is neither, or the body is no JSON.
        """
        if status not in (0, 1):
            raise ValueError(f"status must be 0, or 1 for an application error, got {status!r}")
        _check_body(body, self.scheme)
        return self._add(lambda request: Response(body, headers, status=status))

    def fails(self, error: int | errors.TChannelError, description: str = "") -> Self:
        """Answer with an error frame.

        :param error: a code of ``tchannel.errors``, or an error with its code.
        :raises ValueError: the code is none of the protocol's.
        :raises TypeError: it is neither a code nor an error.
        """
        if isinstance(error, int):
            if error not in _CODES:
                raise ValueError(f"error must be a code of tchannel.errors, got {error!r}")
            error = errors.TChannelError.from_code(error, description=description)
        if not isinstance(error, errors.TChannelError):
            raise TypeError(f"fails takes a code or an error of tchannel.errors, not {error!r}")
        return self.raises(error)

    def raises(self, exception: BaseException | type[BaseException]) -> Self:
        """Raise ``exception`` in the handler: a declared one is an answer, others unexpected.

        :raises TypeError: it is no exception.
        """
        made = exception if isinstance(exception, type) else type(exception)
        if not issubclass(made, BaseException):
            raise TypeError(f"raises takes an exception, not {exception!r}")

        def step(request: Request) -> NoReturn:
            raise exception

        return self._add(step)

    def hangs(self) -> Self:
        """Never answer: the caller's timeout decides."""
        return self._add(lambda request: asyncio.get_running_loop().create_future())

    def streams(self, chunks: Iterable[bytes], headers: object = None) -> Self:
        """Answer with a body that is sent chunk by chunk; for raw endpoints."""
        kept = list(chunks)

        async def body() -> AsyncIterator[bytes]:
            for chunk in kept:
                yield chunk

        return self._add(lambda request: Response(body(), headers))

    def calls(self, function: Step) -> Self:
        """Do what ``function(request)`` does; it may be async.

        :raises TypeError: it cannot be called.
        """
        if not callable(function):
            raise TypeError(f"calls takes a function of the request, not {function!r}")
        return self._add(function)

    def delays(self, seconds: float) -> Self:
        """Let the next step that is added wait so long first, on the service's clock.

        :raises ValueError: ``seconds`` is negative or NaN.
        """
        if not seconds >= 0:
            raise ValueError(f"a delay takes 0 seconds or more, got {seconds!r}")
        self._delay = seconds
        return self

    def on_call(self, number: int) -> Self:
        """Let the next step that is added be for that call only, counted from 1.

        It goes before the other steps, which do not count that call.

        :raises ValueError: ``number`` is below 1.
        """
        if number < 1:
            raise ValueError(f"calls are counted from 1, got {number!r}")
        self._number = number
        return self

    def _add(self, step: Step) -> Self:
        delay, self._delay = self._delay, 0.0
        if delay:
            step = _delayed(step, self._channel, delay)
        number, self._number = self._number, None
        if number is None:
            self._steps.append(step)
        else:
            self._by_number[number] = step
        return self

    def _next(self) -> Step:
        self._count += 1
        step = self._by_number.get(self._count)
        if step is not None:
            return step
        if not self._steps:
            return self._default
        return self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]


_CODES = frozenset(
    {
        errors.TIMEOUT,
        errors.CANCELED,
        errors.BUSY,
        errors.DECLINED,
        errors.UNEXPECTED_ERROR,
        errors.BAD_REQUEST,
        errors.NETWORK_ERROR,
        errors.UNHEALTHY,
    }
)


def _check_body(body: object, scheme: str) -> None:
    if scheme == "raw" and not isinstance(body, bytes | bytearray | memoryview | str | None):
        raise TypeError(
            f'a raw endpoint answers with bytes or str, not {body!r}; see on(…, "json")'
        )
    if scheme == "json":
        try:
            json.dumps(body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"a json endpoint cannot answer with {body!r:.200}: {error}"
            ) from None


def _delayed(step: Step, channel: TChannel, seconds: float) -> Step:
    async def wait(request: Request) -> object:
        await clock.sleep(channel.clock, seconds)
        result = step(request)
        return await result if inspect.isawaitable(result) else result

    return wait


class FakeService:
    """A programmable service.

    :param name: the service's name. Default ``"service"``.
    :param hostport: where it listens. Default a free port of 127.0.0.1.
    :param clock: the channel's clock; default the loop's.

    ``channel`` is the channel; ``calls`` what was called (see :class:`~tchannel_testing.Calls`),
    whose ``assert_...`` methods the service has as well. It listens from the first look at
    ``hostport`` on. Endpoints without a programme are unknown to callers.
    """

    def __init__(
        self,
        name: str = "service",
        hostport: str = "127.0.0.1:0",
        *,
        clock: clock.Clock | None = None,
    ) -> None:
        self.channel: TChannel = TChannel(name, hostport=hostport, clock=clock)
        self.calls: Calls = Calls()
        self._programmes: dict[str, Programme] = {}

    @property
    def name(self) -> str:
        """The service's name."""
        return self.channel.name

    @property
    def hostport(self) -> str:
        """Where it listens, from now on."""
        self.listen()
        return self.channel.hostport

    def listen(self) -> None:
        """Listen, on the running loop if there is one."""
        self.channel.listen()
        if _loop_runs():
            self.channel.use_loop()

    def on(self, endpoint: str, scheme: str = "raw") -> Programme:
        """The programme of an endpoint; until it has steps, it answers with nothing.

        :param scheme: ``"raw"``, ``"json"``, or another whose ``register`` takes a name and a
            handler.
        :raises ValueError: the endpoint speaks another scheme already, or there is no such scheme.
        """
        programme = self._programmes.get(endpoint)
        if programme is None:
            register = getattr(getattr(self.channel, scheme, None), "register", None)
            if register is None:
                raise ValueError(f"there is no arg scheme {scheme!r}; there are raw and json")
            programme = Programme(self.channel, _answer_nothing, scheme)
            register(endpoint, self._handler(endpoint, programme))
            self._programmes[endpoint] = programme
        elif programme.scheme != scheme:
            raise ValueError(f"{endpoint} speaks {programme.scheme} already, not {scheme}")
        return programme

    def _handler(self, endpoint: str, programme: Programme) -> Step:
        def handle(request: Request) -> object:
            self.calls.add(ReceivedCall.of(endpoint, request))
            return programme._next()(request)

        return handle

    def assert_called_with(self, endpoint: str, **expected: object) -> None:
        """See :meth:`Calls.assert_called_with <tchannel_testing.Calls.assert_called_with>`."""
        __tracebackhide__ = True
        self.calls.assert_called_with(endpoint, **expected)

    def assert_call_count(self, endpoint: str, count: int) -> None:
        """See :meth:`Calls.assert_call_count <tchannel_testing.Calls.assert_call_count>`."""
        __tracebackhide__ = True
        self.calls.assert_call_count(endpoint, count)

    def assert_not_called(self, endpoint: str | None = None) -> None:
        """See :meth:`Calls.assert_not_called <tchannel_testing.Calls.assert_not_called>`."""
        __tracebackhide__ = True
        self.calls.assert_not_called(endpoint)

    async def close(self) -> None:
        """Close the channel; calls that hang are not waited for."""
        await self.channel.close(_GRACE)

    async def __aenter__(self) -> Self:
        self.listen()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


# Long enough for answers that are on their way, short enough for a test.
_GRACE = 0.05


def _answer_nothing(request: Request) -> Response:
    return Response()


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
