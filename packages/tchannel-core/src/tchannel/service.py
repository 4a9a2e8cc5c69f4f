"""Services as classes: mark the methods that serve, then ``channel.register_service(object)``.

::

    class Greeter:
        def __init__(self, greeting):
            self.greeting = greeting

        @service.json
        async def greet(self, request):
            return {"text": f"{self.greeting}, {request.body['name']}"}

        @service.raw("echo")
        def echo_bytes(self, request):
            return request.body

    channel.register_service(Greeter("Hello"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar, cast, overload

__all__ = ["endpoint", "json", "marked_methods", "raw"]

_MethodT = TypeVar("_MethodT", bound=Callable[..., object])

_MARK: Final = "__tchannel_endpoint__"


def endpoint(
    scheme: str, name: str | None = None, **options: object
) -> Callable[[_MethodT], _MethodT]:
    """Mark a method as the handler of an endpoint.

    Args:
        scheme: the arg scheme.
        name: the endpoint; by default the method's name.
        **options: what the scheme's ``register`` takes besides.

    """
    if not isinstance(scheme, str):
        raise TypeError(f"scheme must be a name, not {scheme!r}")

    def mark(method: _MethodT) -> _MethodT:
        setattr(method, _MARK, (scheme, name or method.__name__, options))
        return method

    return mark


@overload
def raw(name: _MethodT) -> _MethodT: ...


@overload
def raw(name: str | None = None, **options: object) -> Callable[[_MethodT], _MethodT]: ...


def raw(name: object = None, **options: object) -> object:
    """Mark a method as a raw handler: ``@service.raw`` or ``@service.raw("name", stream=True)``."""
    return _mark("raw", name, options)


@overload
def json(name: _MethodT) -> _MethodT: ...


@overload
def json(name: str | None = None, **options: object) -> Callable[[_MethodT], _MethodT]: ...


def json(name: object = None, **options: object) -> object:
    """Mark a method as a json handler: ``@service.json`` or ``@service.json("name")``."""
    return _mark("json", name, options)


def _mark(scheme: str, name: object, options: dict[str, object]) -> object:
    if callable(name):
        return endpoint(scheme)(name)
    return endpoint(scheme, cast("str | None", name), **options)


def marked_methods(
    service: object,
) -> Iterator[tuple[str, str, Callable[..., object], dict[str, object]]]:
    """Yield scheme, endpoint, bound method and options of every marked method.

    Raises:
        TypeError: a class was given instead of an object of it.

    """
    if isinstance(service, type):
        raise TypeError(f"register_service takes an object: write {service.__name__}(...)")
    # Looked up on the class: reading properties of the object would run them.
    for attribute in dir(type(service)):
        mark = getattr(getattr(type(service), attribute, None), _MARK, None)
        if mark is not None:
            scheme, name, options = mark
            yield scheme, name, getattr(service, attribute), options
