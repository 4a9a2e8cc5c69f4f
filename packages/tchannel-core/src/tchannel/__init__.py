"""TChannel RPC for asyncio and Tornado.

::

    channel = TChannel("my-service")

    @channel.json.register
    async def greet(request):
        return {"text": f"Hello, {request.body['name']}"}

    channel.listen()
    response = await channel.json("other-service", "endpoint", {"a": 1}, hostport="127.0.0.1:4040")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from . import errors, interceptors, retry, schemes, status
    from .channel import TChannel
    from .options import Options
    from .request import Request
    from .response import Response
    from .streaming import Body

__all__ = [
    "Body",
    "Options",
    "Request",
    "Response",
    "TChannel",
    "__version__",
    "errors",
    "interceptors",
    "retry",
    "schemes",
    "status",
]

_HOMES = {
    "Body": "streaming",
    "Options": "options",
    "Request": "request",
    "Response": "response",
    "TChannel": "channel",
}
_MODULES = frozenset({"errors", "interceptors", "retry", "schemes", "status"})


# Lazily, so that a tool which needs the errors alone does not pay for the event loop.
def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    elif name == "thrift_request_builder":
        value = import_module(".thrift", __name__).thrift_request_builder
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
