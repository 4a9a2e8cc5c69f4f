"""Cancels in every state of a relayed call."""

from __future__ import annotations

import asyncio

import pytest

import tchannel_wire as wire
from tchannel.lowlevel import inside
from tchannel_hyperbahn import Router


def answer(id, *, more=False):
    return wire.CallResponse(id=id, flags=more, headers={"as": "raw"}, chunks=[b"", b"", b"x"])


async def nothing_is_left(router, eventually):
    await eventually(
        lambda: not any(c.incoming or c.outgoing or c.local for c in router.connections)
    )


async def test_a_cancel_before_there_is_a_connection_follows_its_call(
    router, open_raw, listening, caller, frames, eventually
):
    service = await open_raw(router.hostport)
    await service.shake_hands(listening.hostport)
    await service.advertise("service")
    back = await listening.accepted.get()
    service.close()
    await eventually(lambda: len(router.connections) == 2)
    caller.send(frames.call(7), wire.Cancel(id=7, why="enough"))
    await caller.answered()

    await back.accept_handshake(listening.hostport)
    request, cancel = await back.next(), await back.next()
    back.send(wire.ErrorMessage(id=request.id, code=2, description="cancelled"))

    assert (cancel.id, cancel.why) == (request.id, "enough")
    error = await caller.next()
    assert (error.id, error.code) == (7, wire.ErrorCode.CANCELLED)
    await nothing_is_left(router, eventually)


async def test_a_cancel_among_fragments_follows_those_before_it(
    router, caller, service, frames, eventually
):
    caller.send(frames.call(7, flags=1), wire.CallRequestContinue(id=7, flags=1, chunks=[b"more"]))
    caller.send(wire.Cancel(id=7, why="enough"), wire.CallRequestContinue(id=7, chunks=[b"late"]))

    request, more, cancel, late = [await service.next() for _ in range(4)]
    assert [part.id for part in (more, cancel, late)] == [request.id] * 3
    service.send(wire.ErrorMessage(id=request.id, code=2, description="cancelled"))

    assert (await caller.next()).code == wire.ErrorCode.CANCELLED
    await nothing_is_left(router, eventually)


@pytest.mark.parametrize("ends_with", ["answer", "error"])
async def test_a_cancel_after_the_answer_has_begun_reaches_the_service_and_the_call_ends_as_it_says(
    router, caller, service, frames, eventually, ends_with
):
    caller.send(frames.call(7))
    request = await service.next()
    service.send(answer(request.id, more=True))
    await caller.next()

    caller.send(wire.Cancel(id=7, why="enough"))
    assert (await service.next()).id == request.id
    if ends_with == "answer":
        service.send(wire.CallResponseContinue(id=request.id, chunks=[b"end"]))
        assert (await caller.next()).chunks == [b"end"]
    else:
        service.send(wire.ErrorMessage(id=request.id, code=2, description="cancelled"))
        assert (await caller.next()).code == wire.ErrorCode.CANCELLED

    await nothing_is_left(router, eventually)


async def test_a_cancel_after_the_answer_is_dropped(router, caller, service, frames, eventually):
    caller.send(frames.call(7))
    service.send(answer((await service.next()).id))
    await caller.next()

    caller.send(wire.Cancel(id=7))
    await caller.answered()

    assert isinstance(await service.answered(), wire.PingResponse)
    await nothing_is_left(router, eventually)


async def test_a_cancelled_call_whose_service_says_nothing_ends_with_its_ttl(
    open_raw, frames, clock, eventually
):
    async with Router(clock=clock) as router:
        service, caller = [await open_raw(router.hostport) for _ in range(2)]
        for peer in (service, caller):
            await peer.shake_hands()
        await service.advertise("service")
        caller.send(frames.call(7, ttl_ms=1000), wire.Cancel(id=7))
        await service.next()
        await service.next()

        clock.advance(1.1)

        assert (await caller.next()).code == wire.ErrorCode.TIMEOUT
        await nothing_is_left(router, eventually)


async def test_a_cancel_of_a_call_to_the_router_itself_ends_it(router, caller, frames, eventually):
    caller.send(frames.call(7, "hyperbahn", flags=1), wire.Cancel(id=7))

    assert (await caller.next()).code == wire.ErrorCode.CANCELLED
    await nothing_is_left(router, eventually)


async def test_an_id_may_be_used_again_right_after_its_cancel(
    router, caller, service, frames, eventually
):
    caller.send(frames.call(7), wire.Cancel(id=7), frames.call(7))
    first, _, second = [await service.next() for _ in range(3)]
    assert first.id != second.id

    service.send(wire.ErrorMessage(id=first.id, code=2, description="cancelled"))
    service.send(answer(second.id))

    assert (await caller.next()).code == wire.ErrorCode.CANCELLED
    assert (await caller.next()).chunks[2] == b"x"
    await nothing_is_left(router, eventually)


async def test_calls_that_are_cancelled_at_any_moment_leave_nothing(
    router, serve, make_channel, eventually
):
    service = await serve("echo")
    client = make_channel("client")
    await client.advertise(routers=[router.hostport])

    for turns in range(40):
        call = client.raw("echo", "echo", bytes(200_000), b"")
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()

    assert (await client.raw("echo", "echo", b"still there")).body == b"still there"
    await nothing_is_left(router, eventually)
    assert inside(service).incoming_calls == 0
