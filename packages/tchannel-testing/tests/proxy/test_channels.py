"""The fault proxy between real channels."""

import pytest

import tchannel_wire as wire
from tchannel import TChannel, errors
from tchannel_testing.proxy import (
    FaultProxy,
    add_frame,
    flip_byte,
    is_continuation,
    repeat_frame,
    replace_frame,
)
from tchannel_testing.service import FakeService

CALL_RESPONSE = 0x04
PONG = wire.encode(wire.PingResponse(id=77))


@pytest.fixture
async def service():
    """A service that answers ``get`` and streams ``big``."""
    async with FakeService() as service:
        service.on("get").answers(b"value")
        service.on("big").answers(b"x" * 200_000)
        yield service


@pytest.fixture
async def proxy(service):
    """A proxy before it."""
    async with FaultProxy(service.hostport) as proxy:
        yield proxy


@pytest.fixture
async def call(proxy):
    """Calls the service through the proxy, without retries; the result is the body."""
    async with TChannel("client") as client:

        async def call(endpoint, **kwargs):
            response = await client.raw(
                "service", endpoint, hostport=proxy.hostport, retry_on="n", **kwargs
            )
            return response.body

        yield call


async def test_a_call_goes_through_and_frames_are_counted(call, proxy):
    assert await call("get") == b"value"

    assert (proxy.upstream.frames, proxy.downstream.frames) == (2, 2)  # handshake and call


async def test_frames_cut_into_single_bytes_are_put_together_again(call, proxy):
    await call("get")
    proxy.set(split=1)

    assert await call("get") == b"value"


async def test_a_black_hole_is_a_timeout_for_the_caller(call, proxy):
    await call("get")
    proxy.downstream.set(black_hole=True)

    with pytest.raises(errors.TimeoutError):
        await call("get", timeout=0.05)
    assert proxy.downstream.frames == 3


async def test_withheld_fragments_hold_up_one_call_and_no_other(call, proxy):
    await call("get")
    proxy.downstream.set(withhold=is_continuation)

    with pytest.raises(errors.TimeoutError):
        await call("big", timeout=0.05)
    assert await call("get") == b"value"
    proxy.clear()

    assert await call("big") == b"x" * 200_000


async def test_a_damaged_body_costs_one_call_and_not_the_connection(call, proxy):
    await call("get")
    proxy.downstream.set(rewrite=flip_byte(-1, types=(CALL_RESPONSE,)))

    with pytest.raises(errors.TChannelError):
        await call("get")
    proxy.clear()

    assert await call("get") == b"value"
    assert proxy.accepted == 1


async def test_an_answer_that_comes_twice_is_taken_once(call, proxy):
    await call("get")
    proxy.downstream.set(rewrite=repeat_frame(types=(CALL_RESPONSE,)))

    assert await call("get") == b"value"
    assert await call("get") == b"value"
    assert proxy.accepted == 1


async def test_frames_can_be_added_before_an_answer_or_behind_it(call, proxy):
    await call("get")
    before = proxy.downstream.frames
    stray = add_frame(lambda frame: wire.replace_id(frame, 77), types=(CALL_RESPONSE,), before=True)
    proxy.downstream.set(
        rewrite=lambda frame: add_frame(PONG, types=(CALL_RESPONSE,))(stray(frame))
    )

    assert await call("get") == b"value"
    assert await call("get") == b"value"
    assert proxy.downstream.frames == before + 2  # what the service sent


async def test_a_frame_can_be_lost_alone(call, proxy):
    await call("get")
    proxy.downstream.set(rewrite=replace_frame(b"", types=(CALL_RESPONSE,)))

    with pytest.raises(errors.TimeoutError):
        await call("get", timeout=0.05)
    proxy.clear()

    assert await call("get") == b"value"
    assert proxy.accepted == 1


async def test_an_answer_can_be_replaced_by_another(call, proxy):
    await call("get")

    def busy(frame):
        message = wire.ErrorMessage(id=wire.peek_id(frame), code=errors.BUSY, description="no")
        return wire.encode(message)

    proxy.downstream.set(rewrite=replace_frame(busy, types=(CALL_RESPONSE,)))

    with pytest.raises(errors.BusyError):
        await call("get")


def test_what_is_added_or_replaced_goes_with_frames_of_the_named_types_only(make_frame):
    other = make_frame(0xD0, b"ping")

    assert add_frame(PONG, types=(CALL_RESPONSE,))(other) == other
    assert replace_frame(PONG, types=(CALL_RESPONSE,))(other) == other
    assert replace_frame(PONG, types=(0xD0,))(other) == PONG
    assert add_frame(PONG, types=(0xD0,), before=True)(other) == PONG + other


async def test_a_reset_fails_the_call_and_the_next_connects_again(call, proxy, service):
    service.on("slow").hangs()
    await call("get")
    service.on("reset").calls(lambda request: proxy.reset() or b"never seen")

    with pytest.raises(errors.NetworkError):
        await call("reset")

    assert await call("get") == b"value"
    assert proxy.accepted == 2


async def test_a_cut_in_the_middle_of_an_answer_fails_the_call(call, proxy):
    await call("get")
    proxy.downstream.set(cut_after_bytes=100_000)

    with pytest.raises(errors.NetworkError):
        await call("big")


async def test_refused_connections_fail_the_call(call, proxy):
    proxy.refuse = True

    with pytest.raises(errors.NetworkError):
        await call("get")
