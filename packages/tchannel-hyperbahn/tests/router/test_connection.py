from __future__ import annotations

import asyncio
import logging

import pytest

import tchannel_wire as wire
from tchannel_hyperbahn import Router


async def test_the_handshake_says_where_the_router_listens(router, open_raw):
    peer = await open_raw(router.hostport)
    peer.send(wire.InitRequest(id=9, headers=wire.init_headers("0.0.0.0:0", "raw")))

    answer = await peer.next()

    assert (answer.id, answer.version) == (9, 2)
    assert answer.headers["host_port"] == router.hostport
    assert answer.headers["process_name"].startswith("router[")


async def test_a_ping_is_answered(caller):
    caller.send(wire.PingRequest(id=77))

    assert await caller.next() == wire.PingResponse(id=77)


def handshake(**changes):
    headers = {**wire.init_headers("0.0.0.0:0", "raw"), **changes}
    headers = {key: value for key, value in headers.items() if value is not None}
    return wire.InitRequest(headers=headers)


@pytest.mark.parametrize(
    "frames_sent",
    [
        [wire.PingRequest(id=1)],
        [handshake(host_port=None)],
        [handshake(process_name=None)],
        [handshake(), handshake()],
        [handshake(), wire.InitResponse(headers=wire.init_headers("1.2.3.4:5", "raw"))],
        [handshake(), wire.Frame(0x55, 1).encode()],
        [handshake(), b"\x00\x05nonsense"],
    ],
    ids=["before init", "no host_port", "no process_name", "twice", "wrong way", "type", "size"],
)
async def test_a_peer_that_breaks_the_protocol_is_told_and_disconnected(
    router, open_raw, frames_sent
):
    peer = await open_raw(router.hostport)
    peer.send(*frames_sent)
    got = []

    with pytest.raises((EOFError, ConnectionError)):
        while True:
            got.append(await peer.next())

    assert isinstance(got[-1], wire.ErrorMessage)
    assert (got[-1].id, got[-1].code) == (0xFFFFFFFF, wire.ErrorCode.FATAL)


async def test_a_bad_peer_harms_nobody_else(router, open_raw, caller, service, frames):
    bad = await open_raw(router.hostport)
    bad.send(b"\x00\x00\x00\x00")
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            await bad.next()

    caller.send(frames.call(7))

    assert (await service.next()).service == "service"


async def test_a_peer_that_says_nothing_is_disconnected(open_raw, clock, eventually):
    async with Router(clock=clock) as router:
        peer = await open_raw(router.hostport)
        await eventually(lambda: router.connections)

        clock.advance(5)

        with pytest.raises((EOFError, ConnectionError)):
            await peer.next()


async def test_an_instance_that_drains_gets_no_further_calls(
    router, open_raw, caller, service, frames
):
    other = await open_raw(router.hostport)
    await other.shake_hands()
    await other.advertise("service")

    service.send(
        wire.ErrorMessage(code=wire.ErrorCode.DECLINED, description="draining: going away")
    )
    await service.answered()
    caller.send(*[frames.call(number) for number in range(1, 5)])

    assert [(await other.next()).service for _ in range(4)] == ["service"] * 4


async def test_frames_that_trickle_in_byte_by_byte_are_understood(router, open_raw, eventually):
    peer = await open_raw(router.hostport)
    for byte in wire.encode(handshake()):
        peer.send(bytes((byte,)))
        await asyncio.sleep(0)

    assert isinstance(await peer.next(), wire.InitResponse)


async def test_what_a_peer_says_is_one_short_line_of_the_log(caller, caplog, eventually):
    caplog.set_level(logging.INFO, logger="tchannel.router")
    caller.send(
        wire.ErrorMessage(code=wire.ErrorCode.DECLINED, description="gone\n2026-01-01 " * 2000)
    )

    await eventually(lambda: "says" in caplog.text)
    (line,) = [record.getMessage() for record in caplog.records if "says" in record.getMessage()]
    assert line.isprintable()
    assert len(line) < 500
