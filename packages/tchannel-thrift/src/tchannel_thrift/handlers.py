"""The types of handlers, as the stubs of Thrift files say them.

The stub of a file has, for a service ``KeyValue``, the Protocol ``KeyValueHandlers``: an object that can
be registered as the service; and for a function ``getValue`` the type of its handler's request,
``KeyValue_getValue_Request``. Both can be looked up in the modules of `tchannel_thrift.load` and of
packages that the stubs command wrote, too, so that they may be written where Python evaluates them.
"""

from __future__ import annotations

from collections.abc import Awaitable
from types import GenericAlias, ModuleType
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, Union

if TYPE_CHECKING:
    from tchannel import Response

__all__ = ["Answer", "ServiceOf", "name_for_handlers"]

_ResultT = TypeVar("_ResultT")
_HandlersT_contra = TypeVar("_HandlersT_contra", contravariant=True)

Answer: TypeAlias = Union[
    _ResultT,
    "Response[_ResultT]",
    Awaitable[Union[_ResultT, "Response[_ResultT]"]],
]
"""What a handler may return: the result, a Response around it, or an awaitable of either."""


class ServiceOf(Protocol[_HandlersT_contra]):
    """A service in a stub, for checkers: it knows what its handlers have to be."""

    def __serve__(self, handlers: _HandlersT_contra, /) -> None:
        """Nothing that is there at run time."""


_HANDLERS = "Handlers"
_REQUEST = "_Request"


def name_for_handlers(module: ModuleType, name: str) -> object:
    """Return what a stub has and the module of the Thrift file has not.

    ``KeyValueHandlers`` is an empty class at run time, to be inherited from or named in annotations;
    ``KeyValue_getValue_Request`` is the `tchannel.Request` of the function's arguments.

    Args:
        module: A module of the engine.
        name: The name that was asked for.

    Raises:
        AttributeError: The stub has no such name, either.

    """
    for service in getattr(module, "__services__", ()):
        spec = service.service_spec
        if name == f"{spec.name}{_HANDLERS}":
            doc = f"Handlers of {spec.name}; what they have to be is known to type checkers."
            return type(name, (), {"__doc__": doc, "__module__": module.__name__})
        prefix = f"{spec.name}_"
        if name.startswith(prefix) and name.endswith(_REQUEST):
            function = spec.lookup(name[len(prefix) : -len(_REQUEST)])
            if function is not None:
                from tchannel import Request

                return GenericAlias(Request, (function.args_spec.surface, dict[str, str]))
    raise AttributeError(
        f"Thrift module {module.__name__!r} has no attribute {name!r}", name=name, obj=module
    )
