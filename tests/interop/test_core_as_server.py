"""tchannel-node 4.0.1 and 3.10.1, and tchannel-python 2.1.0, call our channel."""

import asyncio

import pytest
from thirdparty.peer import CallError, pattern
from thirdparty.tcurl import tcurl

from tchannel import Response, TChannel, errors
from tchannel.lowlevel import inside

CODES = {
    "timeout": (1, errors.TimeoutError),
    "cancelled": (2, errors.CanceledError),
    "busy": (3, errors.BusyError),
    "declined": (4, errors.DeclinedError),
    "unexpected": (5, errors.UnexpectedError),
    "bad-request": (6, errors.BadRequestError),
    "network": (7, errors.NetworkError),
    "unhealthy": (8, errors.UnhealthyError),
}


@pytest.fixture
async def server():
    """Our service, with the endpoints that the peers have too."""
    channel = TChannel("our-service", hostport="127.0.0.1:0")
    channel.cancelled = []

    @channel.raw.register
    async def echo(request):
        return Response(request.body, request.headers)

    @channel.raw.register
    def big(request):
        return Response(pattern(int(request.body)), request.headers)

    @channel.raw.register
    def notok(request):
        return Response(request.body, request.headers, status=1)

    @channel.raw.register
    async def slow(request):
        await asyncio.sleep(int(request.body) / 1000)
        return b"done"

    @channel.raw.register
    async def blackhole(request):
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            channel.cancelled.append(request)
            raise

    @channel.raw.register
    def crash(request):
        raise KeyError("crashed as asked")

    @channel.raw.register
    def seen(request):
        channel.last = request

    @channel.raw.register
    async def stream(request):
        for _ in range(int(request.body)):
            yield pattern(10_000)

    @channel.json.register("json-echo")
    async def json_echo(request):
        return Response(request.body, request.headers)

    @channel.json.register("json-fail")
    def json_fail(request):
        return Response({"type": "as-asked", "got": request.body}, status=1)

    for name, (_, kind) in CODES.items():

        def fail(request, name=name, kind=kind):
            raise kind(f"as asked: {name}")

        channel.raw.register(f"error-{name}", fail)
    channel.listen()
    yield channel
    await channel.close(grace=1)


@pytest.fixture
def call(server, peer):
    """A function that lets the peer call us."""

    def call(endpoint, **kwargs):
        return peer.call_async(server.hostport, "our-service", endpoint, **kwargs)

    return call


async def test_a_raw_call_comes_back_as_it_was_sent(call):
    answer = await call("echo", head=b"h\x00", body=b"b\xff")

    assert (answer.ok, answer.head, answer.body) == (True, b"h\x00", b"b\xff")
    assert answer.transport["as"] == "raw"


async def test_a_json_call_comes_back_as_it_was_sent(call):
    answer = await call("json-echo", scheme="json", head={"k": "v"}, body={"a": [1, None, "ü"]})

    assert (answer.ok, answer.body) == (True, {"a": [1, None, "ü"]})
    assert answer.head["k"] == "v"


@pytest.mark.parametrize("size", [0, 1, 65_400, 65_519, 65_535, 65_536, 300_000])
async def test_arguments_of_any_size_survive_both_ways(call, size):
    assert (await call("echo", body=pattern(size))).body == pattern(size)
    assert (await call("big", body=str(size).encode())).body == pattern(size)


@pytest.mark.parametrize("checksum", [0, 1, 3])
@pytest.mark.parametrize("kind", ["node4", "node3", "py21"])
async def test_each_checksum_is_verified_and_answered_in_kind(server, start_peer, kind, checksum):
    peer = start_peer(kind, checksum=checksum, listen=False)
    for body in (b"small", pattern(150_000)):
        answer = await peer.call_async(server.hostport, "our-service", "echo", body=body)
        assert answer.body == body
        if answer.checksum is not None:
            assert answer.checksum == checksum


async def test_farmhash_of_node_is_understood(server, start_peer):
    peer = start_peer("node4", checksum=2, listen=False)

    answer = await peer.call_async(server.hostport, "our-service", "echo", body=b"small")
    assert (answer.body, answer.checksum) == (b"small", 2)


async def test_application_errors_arrive(call):
    answer = await call("notok", head=b"h", body=b"b")
    assert (answer.ok, answer.head, answer.body) == (False, b"h", b"b")
    failed = await call("json-fail", scheme="json", body={"q": 1})
    assert not failed.ok
    # tchannel-node adds fields of its own making to what it got.
    assert (failed.body["type"], failed.body["got"]) == ("as-asked", {"q": 1})


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, (code, _) in CODES.items()])
async def test_each_error_code_arrives(call, name, code):
    with pytest.raises(CallError) as caught:
        await call(f"error-{name}")
    assert caught.value.code == code
    assert f"as asked: {name}" in caught.value.message


async def test_an_undeclared_exception_arrives_as_its_type_and_message(call):
    with pytest.raises(CallError, match="KeyError: 'crashed as asked'") as caught:
        await call("crash")
    assert caught.value.code == 5


async def test_an_unknown_endpoint_is_a_bad_request(call):
    with pytest.raises(CallError, match="Endpoint 'nothing' is not defined") as caught:
        await call("nothing")
    assert caught.value.code == 6


async def test_a_slow_answer_within_the_timeout_counts(call):
    assert (await call("slow", body=b"50")).body == b"done"


async def test_a_handler_is_cancelled_when_its_callers_time_is_up(call, server):
    with pytest.raises(CallError):
        await call("blackhole", timeout=0.2)
    async with asyncio.timeout(30):
        while not server.cancelled:
            await asyncio.sleep(0.01)

    assert len(server.cancelled) == 1
    assert inside(server).incoming_calls == 0
    assert (await call("echo", body=b"on")).body == b"on"


@pytest.mark.parametrize("kind", ["node4", "node3", "py21"])
async def test_a_caller_that_dies_cancels_the_handler(server, start_peer, kind):
    peer = start_peer(kind, listen=False)
    calling = asyncio.ensure_future(peer.call_async(server.hostport, "our-service", "blackhole"))
    while not inside(server).incoming_calls:
        await asyncio.sleep(0.01)
    peer.kill()
    while inside(server).incoming_calls:
        await asyncio.sleep(0.01)
    with pytest.raises(Exception):  # noqa: B017 - whatever the harness says of a dead process
        await calling

    assert len(server.cancelled) == 1


async def test_the_request_shows_what_the_peer_sent(call, server, peer):
    await call("seen", timeout=3, transport={"sk": "shard"}, caller="somebody")

    transport = server.last.transport
    assert transport.caller_name == "somebody"
    assert transport.shard_key == "shard"
    assert transport.scheme == "raw"
    assert 2000 < transport.ttl_ms <= 3000
    assert server.last.service == "our-service"


async def test_a_streamed_answer_is_read_by_a_peer_that_buffers(call):
    assert (await call("stream", body=b"20")).body == pattern(10_000) * 20


async def test_we_call_back_on_the_peers_own_connection(server, start_peer):
    for kind in ("node4", "node3", "py21"):
        peer = start_peer(kind, f"{kind}-back", listen=False)

        @server.raw.register
        async def callback(request, kind=kind):
            back = await server.raw(
                f"{kind}-back", "echo", request.body, hostport=request.transport.peer
            )
            return back.body

        answer = await peer.call_async(server.hostport, "our-service", "callback", body=b"there")
        assert answer.body == b"there"


async def test_pings_of_node_are_answered(server, node4):
    await node4.ping_async(server.hostport)


async def test_tcurl_finds_us_healthy(server):
    result = await asyncio.to_thread(tcurl, server.hostport, "our-service", health=True)

    assert result.code == 0
    assert "OK" in str(result.output)


async def test_many_calls_at_once(call):
    answers = await asyncio.gather(*[call("echo", body=pattern(n * 37)) for n in range(100)])

    assert [answer.body for answer in answers] == [pattern(n * 37) for n in range(100)]


async def test_callers_are_told_when_we_leave(server, start_peer):
    peer = start_peer("node4", listen=False)
    assert (await peer.call_async(server.hostport, "our-service", "echo", body=b"x")).body == b"x"
    waiting = asyncio.ensure_future(
        peer.call_async(server.hostport, "our-service", "slow", body=b"300")
    )
    while not inside(server).incoming_calls:
        await asyncio.sleep(0.01)
    await server.close(grace=5)

    assert (await waiting).body == b"done"
