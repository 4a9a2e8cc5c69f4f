"""The request that is being handled."""

from typing import TYPE_CHECKING

from ._ground.current import current_call
from ._ground.replaced import refuse_names

if TYPE_CHECKING:
    from .request import Request

__all__ = ["current_request"]


def current_request() -> "Request | None":
    """Return the incoming call that the running code serves; None outside handlers.

    The handler's tasks, and threads it hands work to by `asyncio.to_thread`, see it as well, until
    the call is answered.
    """
    call = current_call.get()
    return None if call is None or call.answered else call


if not TYPE_CHECKING:
    _CURRENT_REQUEST = (
        "contexts are kept by contextvars; tchannel.context.current_request() gives the incoming"
        " call that is being served, and calls made meanwhile belong to its trace by themselves"
    )
    __getattr__ = refuse_names(
        __name__,
        {
            "RequestContext": _CURRENT_REQUEST,
            "RequestContextProvider": _CURRENT_REQUEST,
            "get_current_context": _CURRENT_REQUEST,
        },
    )
