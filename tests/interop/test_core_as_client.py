"""Our channel calls tchannel-node 4.0.1 and 3.10.1, and tchannel-python 2.1.0."""

import asyncio
import json

import pytest
from thirdparty.peer import pattern

import tchannel_wire as wire
from tchannel import TChannel, errors
from tchannel.lowlevel import inside
from tchannel.options import Options

CODES = {
    "timeout": errors.TimeoutError,
    "cancelled": errors.CanceledError,
    "busy": errors.BusyError,
    "declined": errors.DeclinedError,
    "unexpected": errors.UnexpectedError,
    "bad-request": errors.BadRequestError,
    "network": errors.NetworkError,
    "unhealthy": errors.UnhealthyError,
}


@pytest.fixture
async def channel():
    async with TChannel("our-client") as made:
        yield made


@pytest.fixture
def call(channel, peer):
    """A function that makes a raw call to the peer."""

    def call(endpoint, body=b"", headers=b"", **kwargs):
        kwargs.setdefault("timeout", 5)
        return channel.raw(peer.service, endpoint, body, headers, hostport=peer.hostport, **kwargs)

    return call


async def test_a_raw_call_comes_back_as_it_was_sent(call):
    response = await call("echo", b"b\xff", b"h\x00")

    assert (response.body, response.headers, response.status) == (b"b\xff", b"h\x00", 0)
    assert response.transport.scheme == "raw"


async def test_a_json_call_comes_back_as_it_was_sent(channel, peer):
    response = await channel.json(
        peer.service, "json-echo", {"a": [1, None, "ü"]}, {"k": "v"}, hostport=peer.hostport
    )

    assert response.body == {"a": [1, None, "ü"]}
    assert response.headers == {"k": "v"}


@pytest.mark.parametrize("size", [0, 1, 65_400, 65_519, 65_535, 65_536, 300_000])
async def test_arguments_of_any_size_survive_both_ways(call, size):
    body = pattern(size)

    assert (await call("echo", body, b"h")).body == body
    assert (await call("big", str(size))).body == body


@pytest.mark.parametrize("size", range(65_420, 65_440))
async def test_arguments_that_end_at_a_frames_edge_survive(call, size):
    body = pattern(size)

    assert (await call("echo", body)).body == body


async def test_large_application_headers_survive(call, peer):
    head = pattern(70_000)

    assert (await call("echo", b"b", head)).headers == head


@pytest.mark.parametrize(
    "checksum", [wire.ChecksumType.NONE, wire.ChecksumType.CRC32, wire.ChecksumType.CRC32C]
)
async def test_each_checksum_is_understood_and_answered_in_kind(peer, checksum):
    async with TChannel("our-client", options=Options(checksum=checksum)) as channel:
        for body in (b"small", pattern(150_000)):
            response = await channel.raw(peer.service, "echo", body, hostport=peer.hostport)
            assert response.body == body
        info = json.loads((await channel.raw(peer.service, "reqinfo", hostport=peer.hostport)).body)
    if info["checksum"] is not None:
        assert info["checksum"] == checksum


async def test_application_errors_are_returned(channel, call, peer):
    response = await call("notok", b"b", b"h")
    assert (response.status, response.body, response.headers) == (1, b"b", b"h")
    if peer.kind != "py21":
        failed = await channel.json(peer.service, "json-fail", {"q": 1}, hostport=peer.hostport)
        assert failed.status == 1
        assert failed.body["type"] == "as-asked"


@pytest.mark.parametrize(("name", "kind"), CODES.items())
async def test_each_error_code_is_its_class(call, name, kind):
    with pytest.raises(kind) as caught:
        await call(f"error-{name}")
    assert f"as asked: {name}" in caught.value.description


async def test_a_fatal_error_for_a_call_fails_that_call(call):
    with pytest.raises(errors.FatalProtocolError):
        await call("error-fatal")
    assert (await call("echo", b"on", retry_limit=3)).body == b"on"


async def test_an_unknown_endpoint_is_a_bad_request(call):
    with pytest.raises(errors.BadRequestError):
        await call("no-such-endpoint")


async def test_a_handler_that_crashes_is_an_unexpected_error(call):
    with pytest.raises(errors.UnexpectedError, match="crashed as asked"):
        await call("crash")


async def test_a_call_without_an_answer_times_out_and_the_connection_goes_on(call):
    with pytest.raises(errors.TimeoutError):
        await call("blackhole", timeout=0.2)
    assert (await call("echo", b"on")).body == b"on"


async def test_a_late_answer_is_ignored(call):
    with pytest.raises(errors.TimeoutError):
        await call("slow", b"300", timeout=0.1)
    await call("slow", b"350")
    assert (await call("echo", b"on")).body == b"on"


async def test_a_cancelled_call_harms_nothing(call):
    cancelled = call("blackhole")
    await asyncio.sleep(0.05)
    cancelled.cancel()

    assert (await call("echo", b"on")).body == b"on"


async def test_what_the_peer_sees_is_what_the_protocol_says(channel, peer):
    response = await channel.raw(
        peer.service, "reqinfo", hostport=peer.hostport, timeout=4, shard_key="shard", trace=True
    )
    info = json.loads(response.body)

    assert info["service"] in (peer.service, None)
    assert info["caller"] == "our-client"
    assert info["headers"]["as"] == "raw"
    assert info["headers"]["cn"] == "our-client"
    assert info["headers"]["re"] == "c"
    assert info["headers"]["sk"] == "shard"
    assert 3000 < info["ttl"] <= 4000
    assert info["tracing"]["flags"] == 1
    assert info["tracing"]["span"] == info["tracing"]["trace"] != "0000000000000000"


@pytest.mark.parametrize("kind", ["node4", "node3", "py21"])
@pytest.mark.parametrize("how", [b"socket", b"process"])
async def test_a_peer_that_dies_in_the_middle_of_a_call_is_a_network_error(
    channel, start_peer, kind, how
):
    peer = start_peer(kind)

    with pytest.raises(errors.NetworkError, match="lost after"):
        await channel.raw(peer.service, "die", how, hostport=peer.hostport, timeout=5)
    if how == b"socket":
        answer = await channel.raw(
            peer.service, "echo", b"again", hostport=peer.hostport, retry_limit=4
        )
        assert answer.body == b"again"


async def test_the_peer_calls_back_on_our_own_connection(channel, peer):
    channel.raw.register("echo", lambda request: request.body)

    response = await channel.raw(
        peer.service, "callme", b"back", b"our-client", hostport=peer.hostport, timeout=5
    )

    assert response.body == b"back"
    assert len(inside(channel).connections) == 1


async def test_many_calls_at_once(call):
    answers = await asyncio.gather(*[call("echo", pattern(n * 37)) for n in range(300)])

    assert [answer.body for answer in answers] == [pattern(n * 37) for n in range(300)]


async def test_a_streamed_body_reaches_a_peer_that_buffers(call):
    async def body():
        for _ in range(20):
            yield pattern(10_000)
            await asyncio.sleep(0)

    assert (await call("echo", body())).body == pattern(10_000) * 20


async def test_a_large_answer_can_be_read_as_it_arrives(call):
    response = await call("big", b"300000", stream=True)

    assert await response.body.read() == pattern(300_000)


async def test_health_is_answered_by_each_peer(channel, peer):
    response = await channel.call(
        "thrift", peer.service, "Meta::health", b"\0\0", b"\0", hostport=peer.hostport
    )
    # result { 0: HealthStatus { 1: ok = true … } }
    assert response.body.startswith(bytes.fromhex("0c000002000101"))
