"""Asking a service for its IDL (``Meta::thriftIDL``)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from tchannel import errors
from tchannel_thrift.meta import meta

from .._idl.interface import Interface, load_texts
from .._terminal.failures import CallFailed, ToolError, one_line
from .advice import explain
from .calls import Caller, Message, Target
from .connecting import TLS, make_channel

__all__ = ["ask_interface", "fetch_interface"]

_ENDPOINT = "Meta::thriftIDL"
_NO_HEADERS = b"\0\0"
_NO_ARGUMENTS = b"\0"


async def ask_interface(caller: Caller, service: str, *, strict: bool) -> Interface:
    """Ask the service for its IDL, and load it, all within the timeout of a call.

    Raises:
        CallFailed: It could not be asked.
        ToolError: It does not tell its IDL, or what it tells is wrong or takes too long to load.

    """
    clock = caller.channel.clock
    begun = clock.time()
    function = Interface(meta).function(_ENDPOINT)
    try:
        answer = await caller.call(Message("thrift", _ENDPOINT, _NO_HEADERS, _NO_ARGUMENTS))
    except CallFailed as failure:
        code = failure.error.code
        if not failure.sent or code not in {errors.BAD_REQUEST, errors.UNEXPECTED_ERROR}:
            raise
        raise ToolError(
            f"{service} does not tell its IDL, so give the file with -t: it answers"
            f" {_ENDPOINT} with {one_line(failure.description)!r}"
        ) from None
    surface = function.surface
    assert surface is not None, "a loaded function has classes"
    try:
        idl = surface.response.__thrift_module__.loads(surface.response, answer.arg3).success
        texts, entry_point = idl.idls, idl.entryPoint
    except Exception as error:
        raise ToolError(
            f"{service} tells its IDL in a way of its own, so give the file with -t:"
            f" {one_line(str(error))}"
        ) from None
    shown = f"the IDL that {service} tells"
    left = caller.target.timeout - (clock.time() - begun)
    interface = await _in_time(
        partial(load_texts, texts, entry_point, shown, strict=strict), left, shown
    )
    interface.told_by = service
    return interface


def fetch_interface(target: Target, tls: TLS | None, *, strict: bool) -> Interface:
    """Ask a service for its IDL over a connection made for that alone; runs a loop of its own.

    Args:
        target: The service, and where it is.
        tls: How to connect by TLS, or None for plain connections.
        strict: Whether fields must say if they are required.

    Raises:
        ToolError: It could not be asked, or as `ask_interface` has it.

    """

    async def ask() -> Interface:
        channel = make_channel(target, tls)
        caller = Caller(channel, target)
        try:
            return await ask_interface(caller, target.service, strict=strict)
        except CallFailed as failure:
            peer = caller.facts.peer if caller.facts is not None else ""
            raise ToolError(explain(failure, target, peer)) from None
        finally:
            await channel.close(grace=0.1)

    return asyncio.run(ask())


async def _in_time(load: Callable[[], Interface], seconds: float, shown: str) -> Interface:
    """Do what takes the time that a service chooses, and wait no longer than the user wants.

    Raises:
        ToolError: What ``load`` raises; or it takes too long.

    """
    loop = asyncio.get_running_loop()
    loaded: asyncio.Future[Interface] = loop.create_future()

    def tell(set_outcome: Callable[[Any], None], outcome: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if loaded.done() else set_outcome(outcome))

    def run() -> None:
        try:
            tell(loaded.set_result, load())
        except Exception as error:
            tell(loaded.set_exception, error)

    # A daemon: what cannot be stopped must not keep the process.
    threading.Thread(target=run, name="tchannel-idl", daemon=True).start()
    try:
        return await asyncio.wait_for(loaded, max(0.0, seconds))
    except TimeoutError:
        raise ToolError(f"{shown} could not be read within the time of --timeout") from None
