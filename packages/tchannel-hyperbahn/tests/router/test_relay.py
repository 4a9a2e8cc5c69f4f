from __future__ import annotations

import pytest

import tchannel_wire as wire
from tchannel_hyperbahn import Router

TRACING = bytes(range(25))


# -- frames ---------------------------------------------------------------------------------------


async def test_a_request_is_forwarded_with_nothing_but_its_id_changed(caller, service, frames):
    frame = wire.encode(
        frames.call(
            7,
            ttl_ms=5000,
            tracing=TRACING,
            headers={"cn": "caller", "as": "raw", "sk": "shard", "xx": "unknown"},
        )
    )

    caller.send(frame)
    forwarded = await service.next_frame()

    assert wire.replace_id(forwarded, 7) == frame


async def test_an_answer_is_forwarded_with_nothing_but_its_id_changed(caller, service, frames):
    caller.send(frames.call(7))
    request = await service.next()
    answer = wire.encode(
        wire.CallResponse(
            id=request.id, code=1, tracing=TRACING, headers={"as": "raw"}, chunks=[b"", b"h", b"b"]
        )
    )

    service.send(answer)

    assert await caller.next_frame() == wire.replace_id(answer, 7)


@pytest.mark.parametrize("type", [0, 1, 2, 3])
async def test_a_checksum_is_not_looked_at_even_if_it_is_wrong(caller, service, frames, type):
    caller.send(frames.call(7, checksum_type=type, checksum=12345 if type else 0))

    request = await service.next()

    assert (request.checksum_type, request.checksum) == (type, 12345 if type else 0)


async def test_fragments_go_both_ways(caller, service, frames):
    first = frames.call(7, flags=1, chunks=[b"endpoint", b"head", b"body"])
    caller.send(first, wire.CallRequestContinue(id=7, flags=1, chunks=[b"more"]))
    caller.send(wire.CallRequestContinue(id=7, chunks=[b"last"]))

    request = await service.next()
    others = [await service.next(), await service.next()]
    assert {part.id for part in others} == {request.id}
    assert [part.chunks for part in others] == [[b"more"], [b"last"]]

    headers = {"as": "raw"}
    service.send(
        wire.CallResponse(id=request.id, flags=1, headers=headers, chunks=[b"", b"", b"a"]),
        wire.CallResponseContinue(id=request.id, chunks=[b"z"]),
    )
    answer = [await caller.next(), await caller.next()]
    assert [(part.id, part.chunks[-1]) for part in answer] == [(7, b"a"), (7, b"z")]


async def test_two_callers_may_use_the_same_id(router, open_raw, service, frames):
    callers = [await open_raw(router.hostport) for _ in range(2)]
    requests = []
    for number, caller in enumerate(callers):
        await caller.shake_hands()
        caller.send(frames.call(1, chunks=[b"endpoint", b"", str(number).encode()]))
        requests.append(await service.next())
    assert requests[0].id != requests[1].id

    for request in reversed(requests):
        chunks = [b"", b"", request.chunks[2]]
        service.send(wire.CallResponse(id=request.id, headers={}, chunks=chunks))

    for number, caller in enumerate(callers):
        assert (await caller.next()).chunks[2] == str(number).encode()


async def test_one_caller_may_use_an_id_twice_at_once(caller, service, frames):
    caller.send(frames.call(1), frames.call(1))
    requests = [await service.next(), await service.next()]

    for request in requests:
        service.send(wire.CallResponse(id=request.id, headers={}, chunks=[b"", b"", b""]))

    assert [(await caller.next()).id for _ in requests] == [1, 1]


async def test_a_cancel_and_a_claim_reach_the_service(caller, service, frames):
    caller.send(frames.call(7), wire.Claim(id=7, ttl_ms=3), wire.Cancel(id=7, why="enough"))

    request, claim, cancel = [await service.next() for _ in range(3)]

    assert (claim.id, claim.ttl_ms) == (request.id, 3)
    assert (cancel.id, cancel.why) == (request.id, "enough")


async def test_an_error_reaches_the_caller_and_ends_the_call(caller, service, frames):
    caller.send(frames.call(7))
    request = await service.next()

    error = wire.ErrorMessage(id=request.id, code=3, tracing=TRACING, description="busy")
    service.send(error, error)

    got = await caller.next()
    assert (got.id, got.code, got.tracing, got.description) == (7, 3, TRACING, "busy")
    assert isinstance(await caller.answered(), wire.PingResponse)


async def test_late_frames_of_a_call_that_is_over_are_dropped(caller, service, frames):
    caller.send(frames.call(7, flags=1))
    request = await service.next()
    service.send(wire.ErrorMessage(id=request.id, code=6, description="no"))
    await caller.next()

    caller.send(wire.CallRequestContinue(id=7, chunks=[b"late"]))
    await caller.answered()

    assert isinstance(await service.answered(), wire.PingResponse)


# -- where to -------------------------------------------------------------------------------------


async def test_a_name_that_nobody_serves_is_declined(caller, frames):
    caller.send(frames.call(7, "unknown", tracing=TRACING))

    error = await caller.next()

    assert (error.id, error.code, error.tracing) == (7, wire.ErrorCode.DECLINED, TRACING)
    assert "no peer available for request" in error.description


async def test_the_routing_delegate_decides_and_the_service_stays(caller, service, frames):
    headers = {"cn": "caller", "as": "raw", "rd": "service"}
    caller.send(frames.call(7, "elsewhere", headers=headers))

    request = await service.next()

    assert (request.service, request.headers) == ("elsewhere", headers)


async def test_a_routing_key_that_somebody_serves_decides_and_goes_on_with_the_call(
    caller, service, frames
):
    headers = {"cn": "caller", "as": "raw", "rk": "service"}
    caller.send(frames.call(7, "elsewhere", headers=headers))

    request = await service.next()

    assert (request.service, request.headers) == ("elsewhere", headers)


async def test_a_routing_key_that_nobody_serves_leaves_the_call_to_its_service(
    caller, service, frames
):
    headers = {"cn": "caller", "as": "raw", "rk": "canary"}
    caller.send(frames.call(7, "service", headers=headers))

    request = await service.next()

    assert (request.service, request.headers) == ("service", headers)


async def test_a_routing_delegate_comes_before_a_routing_key(
    caller, service, open_raw, router, frames
):
    canary = await open_raw(router.hostport)
    await canary.shake_hands()
    await canary.advertise("canary")
    headers = {"cn": "caller", "as": "raw", "rd": "service", "rk": "canary"}
    caller.send(frames.call(7, "elsewhere", headers=headers))

    request = await service.next()

    assert request.headers == headers


async def test_the_least_busy_instance_is_chosen(router, open_raw, caller, frames):
    instances = [await open_raw(router.hostport) for _ in range(2)]
    for instance in instances:
        await instance.shake_hands()
        await instance.advertise("service")
    caller.send(*[frames.call(id) for id in range(1, 5)])
    served = [[await instance.next() for _ in range(2)] for instance in instances]

    # The second answers all it has got, the first nothing: the next two are the second's.
    for request in served[1]:
        instances[1].send(wire.CallResponse(id=request.id, headers={}, chunks=[b"", b"", b""]))
        await caller.next()
    caller.send(frames.call(5), frames.call(6))

    assert [(await instances[1].next()).service for _ in range(2)] == ["service"] * 2
    assert isinstance(await instances[0].answered(), wire.PingResponse)


async def test_equally_busy_instances_take_turns(router, open_raw, caller, frames):
    instances = [await open_raw(router.hostport) for _ in range(3)]
    for instance in instances:
        await instance.shake_hands()
        await instance.advertise("service")

    for number in range(6):
        caller.send(frames.call(number + 1))
        instance = instances[number % 3]
        request = await instance.next()
        instance.send(wire.CallResponse(id=request.id, headers={}, chunks=[b"", b"", b""]))
        await caller.next()


# -- deadlines ------------------------------------------------------------------------------------


async def test_a_ttl_is_clamped_to_two_minutes(caller, service, frames):
    caller.send(frames.call(1, ttl_ms=120_000), frames.call(2, ttl_ms=3_600_000))

    assert [(await service.next()).ttl_ms for _ in range(2)] == [120_000, 120_000]


async def test_a_ttl_is_lowered_by_the_time_held(open_raw, listening, clock, frames, eventually):
    async with Router(clock=clock) as router:
        service = await open_raw(router.hostport)
        await service.shake_hands(listening.hostport)
        await service.advertise("service")
        back = await listening.accepted.get()
        service.close()
        await eventually(lambda: len(router.connections) == 1)
        caller = await open_raw(router.hostport)
        await caller.shake_hands()
        caller.send(frames.call(7, ttl_ms=5000, flags=1))
        caller.send(wire.CallRequestContinue(id=7, chunks=[b"more"]))
        await caller.answered()

        clock.advance(1.5)
        await back.accept_handshake(listening.hostport)

        assert (await back.next()).ttl_ms == 3500
        assert (await back.next()).chunks == [b"more"]


async def test_a_call_that_is_not_answered_in_time_is_ended_on_both_sides(open_raw, clock, frames):
    async with Router(clock=clock) as router:
        service, caller = [await open_raw(router.hostport) for _ in range(2)]
        for peer in (service, caller):
            await peer.shake_hands()
        await service.advertise("service")
        caller.send(frames.call(7, ttl_ms=2000, tracing=TRACING))
        request = await service.next()
        clock.advance(1.9)
        assert isinstance(await caller.answered(), wire.PingResponse)

        clock.advance(0.2)

        error, cancel = await caller.next(), await service.next()
        assert (error.id, error.code, error.tracing) == (7, wire.ErrorCode.TIMEOUT, TRACING)
        assert "within 2000 ms" in error.description
        assert isinstance(cancel, wire.Cancel)
        assert cancel.id == request.id

        service.send(wire.CallResponse(id=request.id, headers={}, chunks=[b"", b"", b"late"]))
        await service.answered()
        assert isinstance(await caller.answered(), wire.PingResponse)


async def test_a_ttl_of_zero_is_refused(caller, service, frames):
    caller.send(frames.call(7, ttl_ms=0))

    error = await caller.next()

    assert (error.id, error.code) == (7, wire.ErrorCode.BAD_REQUEST)


# -- bad frames -----------------------------------------------------------------------------------


def without_chunks(frame):
    """The call frame without its three chunks."""
    cut = frame[: -(6 + len(b"endpointheadbody"))]
    return len(cut).to_bytes(2, "big") + cut[2:]


async def test_a_call_without_chunks_is_refused(caller, service, frames):
    caller.send(without_chunks(wire.encode(frames.call(7))))

    error = await caller.next()

    assert (error.id, error.code) == (7, wire.ErrorCode.BAD_REQUEST)
    assert "without chunks" in error.description
    assert isinstance(await service.answered(), wire.PingResponse)


async def test_a_checksum_type_that_does_not_exist_is_refused(caller, service, frames):
    frame = bytearray(wire.encode(frames.call(7, checksum_type=3)))
    place = frame.index(b"\x03\x68") if b"\x03\x68" in frame else frame.index(b"raw") + 3
    frame[place] = 4

    caller.send(bytes(frame))
    error = await caller.next()

    assert (error.id, error.code) == (7, wire.ErrorCode.BAD_REQUEST)
    assert "unknown checksum type 4" in error.description


async def test_a_bad_later_frame_ends_the_call_on_both_sides(caller, service, frames):
    caller.send(frames.call(7, flags=1))
    request = await service.next()
    empty = wire.encode(wire.CallRequestContinue(id=7, chunks=[]))

    caller.send(empty)

    error, cancel = await caller.next(), await service.next()
    assert (error.id, error.code) == (7, wire.ErrorCode.BAD_REQUEST)
    assert isinstance(cancel, wire.Cancel)
    assert cancel.id == request.id


async def test_a_bad_answer_is_an_error_for_the_caller_alone(caller, service, frames):
    caller.send(frames.call(7))
    request = await service.next()

    service.send(wire.CallResponse(id=request.id, headers={}, chunks=[]))

    error = await caller.next()
    assert (error.id, error.code) == (7, wire.ErrorCode.UNEXPECTED)
    assert "answered badly: call frame without chunks" in error.description
    assert isinstance(await service.answered(), wire.PingResponse)


async def test_an_error_frame_that_is_cut_off_is_not_passed_on(caller, service, frames):
    caller.send(frames.call(7))
    request = await service.next()

    service.send(wire.Frame(wire.FrameType.ERROR, request.id, b"\x05").encode())

    error = await caller.next()
    assert (error.id, error.code) == (7, wire.ErrorCode.UNEXPECTED)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"headers": {"as": "raw"}}, "missing cn header"),
        ({"service": ""}, "missing service name"),
    ],
)
async def test_a_call_that_says_too_little_is_refused(caller, frames, fields, complaint):
    caller.send(frames.call(7, **fields))

    error = await caller.next()

    assert (error.id, error.code, error.description) == (7, 6, complaint)


# -- connections that end -------------------------------------------------------------------------


async def test_calls_of_a_service_that_dies_fail_with_a_network_error(caller, service, frames):
    caller.send(frames.call(7, tracing=TRACING))
    await service.next()

    service.writer.transport.abort()

    error = await caller.next()
    assert (error.id, error.code, error.tracing) == (7, wire.ErrorCode.NETWORK, TRACING)


async def test_calls_of_a_caller_that_dies_are_cancelled(caller, service, frames):
    caller.send(frames.call(7))
    request = await service.next()

    caller.close()

    cancel = await service.next()
    assert isinstance(cancel, wire.Cancel)
    assert cancel.id == request.id
