"""The checks that take a service: its health, its reflection, and how routers see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tchannel import TChannel, errors
from tchannel_hyperbahn import NoPeersAvailable, discover

from .._calling.advice import explain
from .._calling.calls import Caller
from .._calling.connecting import make_channel
from .._calling.health import HEALTH, read_health
from .._calling.options import Where
from .._calling.reflection import ask_interface
from .._terminal.failures import CallFailed, ToolError, one_line
from .findings import Finding, Verdict

__all__ = ["examine_router", "examine_service"]


async def examine_service(hostport: str, where: Where, service: str) -> AsyncIterator[Finding]:
    """Ask a service of a peer for its health and its IDL."""
    if not service:
        yield Finding("health", Verdict.SKIPPED, "name a service of it: --service")
        yield Finding("reflection", Verdict.SKIPPED, "name a service of it: --service")
        return
    at = Where((hostport,), (), where.tls, where.timeout, where.caller)
    target = at.target(service)
    channel = make_channel(target, at.tls)
    try:
        yield await _health("health", Caller(channel, target))
        yield await _reflection(Caller(channel, target), service)
    finally:
        await channel.close(grace=0.1)


async def _health(check: str, caller: Caller) -> Finding:
    try:
        healthy, said = read_health(await caller.call(HEALTH))
    except CallFailed as failure:
        peer = caller.facts.peer if caller.facts is not None else ""
        text, _, advice = explain(failure, caller.target, peer).partition("; ")
        if failure.sent and failure.error.code == errors.BAD_REQUEST:
            return Finding(
                check,
                Verdict.NOTE,
                text,
                advice or "it has no Meta::health: health checks of orchestrators will fail",
            )
        return Finding(check, Verdict.WRONG, text, advice or "look into its log")
    except ToolError as error:
        return Finding(check, Verdict.WRONG, str(error), "it answers with another IDL")
    if healthy:
        return Finding(check, Verdict.OK, f"{caller.target.service} is well")
    return Finding(
        check,
        Verdict.WRONG,
        f"{caller.target.service} says that it is not well: {one_line(said) or 'no reason given'}",
        "ask who runs it: the service says so itself",
    )


async def _reflection(caller: Caller, service: str) -> Finding:
    try:
        interface = await ask_interface(caller, service, strict=False)
    except (CallFailed, ToolError) as error:
        return Finding(
            "reflection",
            Verdict.NOTE,
            one_line(str(error)).partition(", so give")[0],
            "tools need its Thrift file then: -t FILE",
        )
    names = interface.services()
    return Finding(
        "reflection",
        Verdict.OK,
        f"{', '.join(names) or 'no Thrift service'}: {len(interface.endpoints())} methods",
    )


async def examine_router(
    router: str, where: Where, service: str, announced: str
) -> AsyncIterator[Finding]:
    """Ask a router what it knows of a service.

    Args:
        router: Its address.
        where: How to connect.
        service: The service; "" if none is named.
        announced: The address that its peer announces of itself; "" if it is not known.

    """
    at = Where((router,), (), where.tls, where.timeout, where.caller)
    channel = make_channel(at.target("hyperbahn"), at.tls)
    try:
        yield await _health("router", Caller(channel, at.target("hyperbahn")))
        if not service:
            yield Finding("advertised", Verdict.SKIPPED, "name the service: --service")
            return
        advertised = await _advertised(channel, router, service, announced, where.timeout)
        yield advertised
        if advertised.verdict is Verdict.OK:
            yield await _health("through it", Caller(channel, at.target(service)))
    finally:
        await channel.close(grace=0.1)


async def _advertised(
    channel: TChannel, router: str, service: str, announced: str, timeout: float
) -> Finding:
    try:
        found = await discover(channel, service, [router], timeout=timeout)
    except NoPeersAvailable:
        return Finding(
            "advertised",
            Verdict.WRONG,
            f"nobody has advertised {service!r} with {router}",
            "does the service advertise itself, with this name, with this router, and does it listen "
            "before that?",
        )
    except errors.TChannelError as error:
        return Finding(
            "advertised",
            Verdict.WRONG,
            f"{router} does not tell: {one_line(error.description or str(error))}",
            "is it a Hyperbahn? Hyperbahn::discover is how it is asked",
        )
    told = f"{service} is at {', '.join(found)}"
    if announced and announced not in found:
        return Finding(
            "advertised",
            Verdict.WRONG,
            f"{told}, and not at {announced}",
            "this instance does not advertise, or was forgotten: it has to do so again at least every "
            "five minutes",
        )
    return Finding("advertised", Verdict.OK, told)
