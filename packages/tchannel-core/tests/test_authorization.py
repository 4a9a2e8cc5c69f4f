"""Who may call what: checks before the body is read, Meta endpoints, names of services."""

import asyncio
import logging

import pytest

from tchannel import TChannel, errors
from tchannel.authorization import authorize
from tchannel.errors import NotAuthorizedError
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.service import json


def only(*names):
    """A check that lets callers of these names pass, and keeps what it has seen."""

    def check(access):
        check.seen.append(access)
        return access.caller_name in names

    check.seen = []
    return check


def serve(channel):
    channel.raw.register("echo", lambda request: request.body)
    channel.listen()
    return channel


async def test_a_check_of_a_channel_sees_each_call_and_may_refuse_it(tcp):
    check = only("friend")
    server = serve(tcp(hostport="127.0.0.1:0", authorize=check))

    assert (await tcp("friend").raw("any", "echo", b"x", hostport=server.hostport)).body == b"x"
    with pytest.raises(errors.BadRequestError) as raised:
        await tcp("stranger").raw("any", "echo", b"x", hostport=server.hostport, retry_limit=4)

    assert raised.value.description == "not authorized"
    assert raised.value.attempts == 1
    friend, stranger = check.seen
    assert (friend.service, friend.endpoint, friend.scheme) == ("any", "echo", "raw")
    assert friend.peer.startswith("127.0.0.1:")
    assert friend.channel is server
    assert (friend.announced, friend.certificate) == (None, None)
    assert friend.headers["cn"] == "friend"
    assert repr(stranger).startswith("<Access of 'stranger' at 127.0.0.1:")


async def test_a_check_sees_the_verified_certificate(tcp, tls):
    check = only("client")
    server = serve(tcp(hostport="127.0.0.1:0", ssl_server=tls[0], authorize=check))
    client = tcp("client", ssl_client=tls[1], server_name="service.test")
    await client.raw("any", "echo", b"", hostport=server.hostport)

    assert check.seen[0].certificate["subject"] == ((("commonName", "client.test"),),)


async def test_who_may_not_call_learns_no_endpoints(tcp):
    server = serve(tcp(hostport="127.0.0.1:0", authorize=only()))
    client = tcp("client")

    for service, endpoint in (("any", "nothing"), ("tchannel", "Meta::health")):
        with pytest.raises(errors.BadRequestError, match="not authorized"):
            await client.call("thrift", service, endpoint, hostport=server.hostport)


@pytest.mark.parametrize("kind", ["raw", "json", "plain", "coroutine", "fallback", "service"])
async def test_a_check_of_an_endpoint_stands_before_its_handler_alone(tcp, kind):
    server = serve(tcp(hostport="127.0.0.1:0"))
    ran = []

    if kind == "service":

        class Service:
            @json
            @authorize(only("friend"))
            def guarded(self, request):
                ran.append(request)
                return {}

        server.register_service(Service())
    elif kind == "coroutine":

        @server.json.register
        @authorize(only("friend"))
        async def guarded(request):
            ran.append(request)
            return {}

    elif kind == "fallback":

        @server.register(TChannel.FALLBACK)
        @authorize(only("friend"))
        def anything(request):
            ran.append(request)
            return b"{}"

    else:

        @(server.raw if kind == "raw" else server.json).register("guarded")
        @authorize(only("friend"))
        def guarded(request):
            ran.append(request)
            return b"" if kind == "raw" else {}

    scheme = "raw" if kind == "raw" else "json"
    for name in ("stranger", "friend"):
        client = tcp(name)
        await client.raw("any", "echo", b"x", hostport=server.hostport)
        call = client.call(scheme, "any", "guarded", b"{}", b"{}", hostport=server.hostport)
        if name == "stranger":
            with pytest.raises(errors.BadRequestError, match="not authorized"):
                await call
            assert ran == []
        else:
            await call
            assert len(ran) == 1


@pytest.mark.parametrize("first", ["friend", "relative"])
async def test_of_several_checks_before_a_handler_each_has_to_let_a_call_pass(tcp, first):
    server = serve(tcp(hostport="127.0.0.1:0"))
    second = "relative" if first == "friend" else "friend"

    @server.raw.register
    @authorize(only(first, "both"))
    @authorize(only(second, "both"))
    def guarded(request):
        return b""

    await tcp("both").raw("any", "guarded", b"", hostport=server.hostport)
    for name in (first, second):
        with pytest.raises(errors.BadRequestError, match="not authorized"):
            await tcp(name).raw("any", "guarded", b"", hostport=server.hostport)


@pytest.mark.parametrize("scheme", ["raw", "json"])
def test_a_check_above_what_registers_a_handler_would_guard_nothing(tcp, scheme):
    def handler(request):
        return None

    getattr(tcp(), scheme).register("open", handler)
    with pytest.raises(
        TypeError, match=r"handler.* is registered already.*@authorize stands below"
    ):
        authorize(only())(handler)


async def test_a_large_request_is_refused_at_its_first_frame(tcp):
    server = serve(tcp(hostport="127.0.0.1:0", authorize=only()))
    sent = 0

    async def body():
        nonlocal sent
        while True:
            sent += 1
            yield bytes(64 * 1024)
            await asyncio.sleep(0)

    client = tcp("client")
    with pytest.raises(errors.BadRequestError, match="not authorized"):
        # It would never end.
        await client.raw("any", "echo", body(), hostport=server.hostport)
    assert sent < 200
    (connection,) = inside(server).connections
    assert connection.wire.inbound == {}
    # And the connection goes on.
    with pytest.raises(errors.BadRequestError, match="not authorized"):
        await client.raw("any", "echo", b"x", hostport=server.hostport)
    assert len(inside(client).connections) == 1


@pytest.mark.parametrize("size", [10, 300_000])
@pytest.mark.parametrize("streamed", [False, True])
async def test_each_check_is_asked_once_for_a_call_however_many_frames_it_takes(
    tcp, size, streamed
):
    of_channel, of_endpoint = only("client"), only("client")
    server = tcp(hostport="127.0.0.1:0", authorize=of_channel)

    @server.raw.register(stream=streamed)
    @authorize(of_endpoint)
    async def upload(request):
        body = b"".join([part async for part in request.body]) if streamed else request.body
        return b"%d" % len(body)

    server.listen()
    answer = await tcp("client").raw("any", "upload", bytes(size), hostport=server.hostport)

    assert answer.body == b"%d" % size
    assert [len(of_channel.seen), len(of_endpoint.seen)] == [1, 1]


@pytest.mark.parametrize("size", [10, 300_000])
async def test_a_check_that_refuses_is_asked_once_as_well(tcp, size):
    check = only("friend")
    server = serve(tcp(hostport="127.0.0.1:0", authorize=check))
    with pytest.raises(errors.BadRequestError, match="not authorized"):
        await tcp("stranger").raw("any", "echo", bytes(size), hostport=server.hostport)
    assert len(check.seen) == 1


async def test_a_check_may_choose_the_error(tcp):
    def busy(access):
        raise errors.BusyError("not you, not now")

    server = serve(tcp(hostport="127.0.0.1:0", authorize=busy))
    with pytest.raises(errors.BusyError, match="not you, not now"):
        await tcp("client").raw("any", "echo", hostport=server.hostport)


async def test_a_handler_may_refuse_with_the_same_error(tcp):
    server = serve(tcp(hostport="127.0.0.1:0"))

    @server.raw.register
    def pay(request):
        raise NotAuthorizedError("only up to 100")

    with pytest.raises(errors.BadRequestError, match="only up to 100"):
        await tcp("client").raw("any", "pay", hostport=server.hostport)


@pytest.mark.parametrize("result", [None, 1, "yes", ValueError("secret"), "coroutine"])
async def test_what_is_neither_true_nor_false_refuses_and_is_logged(tcp, caplog, result):
    def check(access):
        if isinstance(result, Exception):
            raise result
        return asyncio.sleep(0) if result == "coroutine" else result

    server = serve(tcp(hostport="127.0.0.1:0", authorize=check))
    with pytest.raises(errors.BadRequestError) as raised:
        await tcp("client").raw("any", "echo", hostport=server.hostport)

    assert raised.value.description == "not authorized"
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.name == "tchannel.authorization"
    assert record.peer.startswith("127.0.0.1:")


async def asynchronous(access):
    return True


@pytest.mark.parametrize("check", [asynchronous, 7, "name"])
def test_what_cannot_be_a_check_is_refused_at_once(check):
    with pytest.raises(TypeError, match="authorize must"):
        TChannel("x", authorize=check)
    with pytest.raises(TypeError, match="authorize must"):
        authorize(check)


# -- Meta endpoints, and names of services ----------------------------------------------------


async def test_meta_endpoints_can_be_switched_off(tcp):
    server = tcp(hostport="127.0.0.1:0", options=Options(meta_endpoints=["health"]))
    server.service("other")
    server.listen()
    client = tcp("client")

    for service in ("server", "other", "tchannel"):
        await client.call(
            "thrift", service, "Meta::health", b"\0\0", b"\0", hostport=server.hostport
        )
        with pytest.raises(errors.BadRequestError, match="Meta::versionInfo"):
            await client.call("thrift", service, "Meta::versionInfo", hostport=server.hostport)


@pytest.mark.parametrize(
    ("names", "error"), [("health", TypeError), (["Meta::health"], ValueError), ([7], ValueError)]
)
def test_meta_endpoints_are_those_that_there_are(names, error):
    with pytest.raises(error, match="meta_endpoints"):
        Options(meta_endpoints=names)


async def test_only_known_names_of_services_may_be_served(tcp):
    server = serve(tcp(hostport="127.0.0.1:0", options=Options(known_services_only=True)))
    server.register(TChannel.FALLBACK)(lambda request: b"fallback")
    server.service("other").raw.register("echo", lambda request: b"other")
    client = tcp("client")

    async def call(service, endpoint="echo"):
        return (await client.raw(service, endpoint, b"x", hostport=server.hostport)).body

    assert await call("server") == b"x"
    assert await call("server", "nothing") == b"fallback"
    assert await call("other") == b"other"
    await client.call(
        "thrift", "tchannel", "Meta::health", b"\0\0", b"\0", hostport=server.hostport
    )
    for endpoint in ("echo", "nothing"):
        with pytest.raises(errors.BadRequestError, match=r"unknown service .*'stranger'"):
            await call("stranger", endpoint)


async def test_by_default_the_channels_own_handlers_serve_every_name(tcp):
    server = serve(tcp(hostport="127.0.0.1:0"))
    assert (await tcp("client").raw("any", "echo", b"x", hostport=server.hostport)).body == b"x"
