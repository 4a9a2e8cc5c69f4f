from __future__ import annotations

import json

import pytest

import tchannel_wire as wire


async def test_advertising_makes_a_name_known(router, open_raw):
    peer = await open_raw(router.hostport)
    await peer.shake_hands("127.0.0.1:9")

    answer = await peer.advertise("one", "two")

    assert (answer.code, answer.headers) == (0, {"as": "json"})
    assert json.loads(answer.chunks[2]) == {"connectionCount": 1}
    assert router.services == {"one": ["127.0.0.1:9"], "two": ["127.0.0.1:9"]}


async def test_tools_are_told_the_names_as_by_the_admin_service_of_hyperbahn(
    service, caller, frames
):
    headers = {"cn": "caller", "as": "json"}
    caller.send(frames.call(5, "autobahn", headers=headers, chunks=[b"channels_v1", b"", b"{}"]))

    answer = await caller.next()

    assert (answer.id, answer.code) == (5, 0)
    assert json.loads(answer.chunks[2]) == {
        "service": {"serviceName": "service", "handlerType": "tchannel.relay-handler"}
    }


async def test_empty_names_and_empty_lists_are_accepted_and_mean_nothing(router, service):
    for names in ([], [""]):
        answer = await service.advertise(*names)
        assert json.loads(answer.chunks[2]) == {"connectionCount": 0}

    assert list(router.services) == ["service"]


async def test_unadvertising_makes_it_unknown(router, service, frames):
    service.send(frames.json_call(5, "unad", {"services": [{"serviceName": "service"}]}))

    answer = await service.next()

    assert (answer.id, answer.code) == (5, 0)
    assert router.services == {}


async def test_nobody_can_take_back_what_another_advertised(router, service, caller, frames):
    caller.send(frames.json_call(5, "unad", {"services": [{"serviceName": "service"}]}))
    await caller.next()

    assert "service" in router.services


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"{}", b'{"services": 5}', b'{"services": [{}]}',
     b'{"services": [{"serviceName": 5}]}', b'{"services": ["name"]}', b"\xff"],
)  # fmt: skip
@pytest.mark.parametrize("endpoint", [b"ad", b"unad"])
async def test_a_body_that_makes_no_sense_is_refused(service, frames, endpoint, body):
    headers = {"cn": "caller", "as": "json"}
    service.send(frames.call(5, "hyperbahn", headers=headers, chunks=[endpoint, b"", body]))

    error = await service.next()

    assert (error.id, error.code) == (5, wire.ErrorCode.BAD_REQUEST)
    assert "the body must be" in error.description


async def test_an_endpoint_that_does_not_exist_is_refused(caller, frames):
    caller.send(frames.json_call(5, "no-such-endpoint", {}))

    error = await caller.next()

    assert (error.id, error.code) == (5, wire.ErrorCode.BAD_REQUEST)
    assert "no endpoint 'no-such-endpoint' of scheme 'json'" in error.description


async def test_the_answer_has_the_tracing_and_the_checksum_type_of_the_call(caller, frames):
    call = frames.json_call(5, "ad", {"services": []})
    call.tracing = bytes(range(25))
    call.checksum_type = wire.ChecksumType.CRC32
    call.checksum = wire.chunks_checksum(call.checksum_type, call.chunks)

    caller.send(call)
    answer = await caller.next()

    assert answer.tracing == bytes(range(25))
    assert answer.checksum_type == wire.ChecksumType.CRC32
    assert answer.checksum == wire.chunks_checksum(answer.checksum_type, answer.chunks)


async def test_a_damaged_call_of_the_router_itself_is_refused(caller, frames):
    call = frames.json_call(5, "ad", {"services": []})
    call.checksum += 1

    caller.send(call)
    error = await caller.next()

    assert (error.id, error.code) == (5, wire.ErrorCode.BAD_REQUEST)
    assert "checksum" in error.description


async def test_a_call_of_the_router_itself_may_come_in_fragments(router, service, frames):
    names = [f"name-{number:0100}" for number in range(900)]
    body = json.dumps({"services": [{"serviceName": name} for name in names]}).encode()
    first = frames.json_call(5, "ad", {})
    first.flags, first.chunks = 1, [b"ad", b"", body[:50_000]]
    first.checksum = wire.chunks_checksum(first.checksum_type, first.chunks)
    last = wire.CallRequestContinue(
        id=5,
        chunks=[body[50_000:]],
        checksum=wire.chunks_checksum(first.checksum_type, [body[50_000:]], first.checksum),
    )

    service.send(first, last)

    assert (await service.next()).code == 0
    assert set(names) < set(router.services)


async def test_a_call_of_the_router_itself_has_an_end(caller, frames):
    first = frames.json_call(5, "ad", {})
    first.flags = 1
    caller.send(first)
    checksum, chunk = first.checksum, bytes(60_000)
    for _ in range(18):
        checksum = wire.chunks_checksum(first.checksum_type, [chunk], checksum)
        caller.send(wire.CallRequestContinue(id=5, flags=1, chunks=[chunk], checksum=checksum))

    error = await caller.next()

    assert (error.id, error.code) == (5, wire.ErrorCode.BAD_REQUEST)
    assert "larger than" in error.description


async def test_a_call_of_the_router_itself_may_be_cancelled(caller, frames):
    first = frames.json_call(5, "ad", {})
    first.flags = 1

    caller.send(first, wire.Cancel(id=5))

    assert (await caller.next()).code == wire.ErrorCode.CANCELLED


async def test_it_is_healthy(caller, frames):
    headers = {"cn": "caller", "as": "thrift"}
    chunks = [b"Meta::health", b"\0\0", b"\0"]
    caller.send(frames.call(5, "hyperbahn", headers=headers, chunks=chunks))

    answer = await caller.next()

    assert (answer.code, answer.headers, answer.chunks[1]) == (0, {"as": "thrift"}, b"\0\0")
    # success (field 0): a struct whose first field, a bool, is true
    assert answer.chunks[2] == bytes.fromhex("0c0000 02000101 00 00")


async def test_an_advertisement_that_is_nested_too_deeply_is_refused(caller, frames):
    chunks = [b"ad", b"null", b"[" * 50_000]
    caller.send(frames.call(1, "hyperbahn", headers={"cn": "c", "as": "json"}, chunks=chunks))

    error = await caller.next()

    assert error.code == wire.ErrorCode.BAD_REQUEST
    assert error.description.startswith("the body must be")
    assert isinstance(await caller.answered(), wire.PingResponse)


async def test_only_so_many_calls_to_the_router_may_be_arriving_on_a_connection(caller, frames):
    for id in range(1, 18):
        more = wire.MORE_FRAGMENTS
        caller.send(frames.call(id, "hyperbahn", flags=more, chunks=[b"ad", b""]))

    error = await caller.next()

    assert (error.id, error.code) == (17, wire.ErrorCode.BUSY)
    caller.send(wire.Cancel(id=1, ttl_ms=1, why=""))
    assert (await caller.next()).code == wire.ErrorCode.CANCELLED
