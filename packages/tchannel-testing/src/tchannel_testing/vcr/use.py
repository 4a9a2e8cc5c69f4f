"""``use_cassette``: a cassette around a block, a function, or a coroutine."""

import asyncio
import concurrent.futures
import contextlib
import functools
import inspect
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from types import TracebackType
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

from .cassette import BeforeRecord, Cassette
from .matchers import Matcher
from .record_mode import RecordMode
from .scope import Scope

__all__ = ["CassetteContext", "use_cassette"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Function: TypeAlias = Callable[..., Any]


def use_cassette(
    path: str | os.PathLike[str],
    record_mode: str | RecordMode | None = None,
    inject: bool = False,
    matchers: Iterable[str | Matcher] | None = None,
    *,
    before_record: BeforeRecord | None = None,
    allow_playback_repeats: bool = False,
    thrift_as_bytes: bool = False,
) -> "CassetteContext":
    """Record calls into a cassette, or replay them from it.

    ::

        with use_cassette("tests/data/bar.yaml", record_mode="none") as cassette: ...

        async with use_cassette("tests/data/bar.yaml"): ...

        @use_cassette("tests/data/bar.yaml")
        async def test_bar(): ...

    It decorates functions, ``async def``, generators, what ``gen.coroutine`` makes and what it is
    made of, in any order of decorators. The arguments are those of :class:`Cassette`, and:

    :param inject: give the cassette to a decorated function as its first argument (behind
        ``self`` or ``cls``). Default False.
    :raises TypeError: ``path`` is no path: where the parentheses behind ``use_cassette`` are
        missing, say.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"use_cassette needs the path of a cassette, as in use_cassette('foo.yaml'), not {path!r}"
        )
    return CassetteContext(
        lambda: Cassette(
            path,
            record_mode,
            matchers,
            before_record=before_record,
            allow_playback_repeats=allow_playback_repeats,
            thrift_as_bytes=thrift_as_bytes,
        ),
        inject,
    )


class CassetteContext:
    """What :func:`use_cassette` returns; may be used again, also inside itself."""

    def __init__(self, make: Callable[[], Cassette], inject: bool) -> None:
        self._make = make
        self._inject = inject
        self._scopes: list[Scope] = []

    def __enter__(self) -> Cassette:
        scope = Scope(self._make())
        scope.enter()
        self._scopes.append(scope)
        return scope.cassette

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Tasks may share this object: each closes what it opened. A fixture that is torn down in
        # another context closes the last.
        scope = next((scope for scope in self._scopes if scope.is_current), self._scopes[-1])
        self._scopes.remove(scope)
        scope.exit()

    async def __aenter__(self) -> Cassette:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate ``function``: each call of it has the cassette to itself."""
        if isinstance(function, staticmethod | classmethod):
            return cast("Callable[_P, _R]", type(function)(self(function.__func__)))
        if inspect.isclass(function) or not callable(function):
            raise TypeError(
                f"use_cassette decorates functions, not {function!r}: decorate each method"
            )
        if self._inject:
            _first_argument(function)
        # Each call has a context of its own, so that calls of one function may overlap.
        if inspect.iscoroutinefunction(function):
            wrapper = self._around_coroutine(function)
        elif inspect.isasyncgenfunction(function):
            wrapper = self._around_async_generator(function)
        elif inspect.isgeneratorfunction(function):
            wrapper = self._around_generator(function)
        else:
            wrapper = self._around_call(function)
        functools.update_wrapper(wrapper, function)
        if self._inject:
            self._hide_injected(wrapper, function)
        return cast("Callable[_P, _R]", wrapper)

    def _around_coroutine(self, function: _Function) -> _Function:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._again() as cassette:
                return await function(*self._arguments(function, cassette, args), **kwargs)

        return wrapper

    def _around_async_generator(self, function: _Function) -> _Function:
        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            with self._again() as cassette:
                items = function(*self._arguments(function, cassette, args), **kwargs)
                async with contextlib.aclosing(items):
                    async for item in items:
                        yield item

        return wrapper

    def _around_generator(self, function: _Function) -> _Function:
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with self._again() as cassette:
                items = function(*self._arguments(function, cassette, args), **kwargs)
                return (yield from items)

        return wrapper

    def _around_call(self, function: _Function) -> _Function:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            scope = Scope(self._make())
            scope.enter()
            try:
                result = function(*self._arguments(function, scope.cassette, args), **kwargs)
            except BaseException:
                scope.exit()
                raise
            return _exit_after(scope, result)

        return wrapper

    def _again(self) -> "CassetteContext":
        return CassetteContext(self._make, self._inject)

    def _arguments(
        self, function: _Function, cassette: Cassette, args: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        if not self._inject:
            return args
        at = _first_argument(function)
        return (*args[:at], cassette, *args[at:])

    @staticmethod
    def _hide_injected(wrapper: _Function, function: _Function) -> None:
        """Nobody else has to give the injected argument: a test runner must not look for it."""
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        del parameters[_first_argument(function)]
        wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # inspect and pytest read it


def _first_argument(function: _Function) -> int:
    """Where the cassette is injected: behind ``self`` or ``cls`` of a method.

    :raises TypeError: the function has no argument for it.
    """
    names = list(inspect.signature(function).parameters)
    at = 1 if names[:1] in (["self"], ["cls"]) else 0
    if len(names) <= at:
        name = getattr(function, "__qualname__", function)
        raise TypeError(f"inject=True gives {name} the cassette, for which it has no argument")
    return at


def _exit_after(scope: Scope, result: Any) -> Any:
    """Close the scope when the work is done, which a Future or coroutine does later."""
    if asyncio.isfuture(result):
        return _after_future(scope, result)
    if isinstance(result, concurrent.futures.Future):
        result.add_done_callback(lambda _: scope.exit())
        return result
    if inspect.isawaitable(result):
        return _after_awaitable(scope, result)
    scope.exit()
    return result


async def _after_awaitable(scope: Scope, result: Awaitable[Any]) -> Any:
    try:
        return await result
    finally:
        scope.exit()


def _after_future(scope: Scope, inner: "asyncio.Future[Any]") -> "asyncio.Future[Any]":
    """A Future that ends after the cassette is saved, and fails when it cannot be."""
    outer: asyncio.Future[Any] = inner.get_loop().create_future()

    def done(_: object) -> None:
        try:
            scope.exit()
        except Exception as problem:  # for whoever waits for the function
            if not outer.done():
                outer.set_exception(problem)
            return
        if outer.done():
            return
        if inner.cancelled():
            outer.cancel()
        elif (error := inner.exception()) is not None:
            outer.set_exception(error)
        else:
            outer.set_result(inner.result())

    inner.add_done_callback(done)
    outer.add_done_callback(lambda outer: inner.cancel() if outer.cancelled() else None)
    return outer
