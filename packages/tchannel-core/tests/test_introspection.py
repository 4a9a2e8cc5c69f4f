"""What a channel tells those who ask it over TChannel, and who may ask."""

import asyncio
import base64
import json

import pytest

from tchannel import TChannel, errors
from tchannel._sight.introspection import is_local
from tchannel.authorization import Access
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.stats import Snapshot

ALL = ("tchannel::stats", "tchannel::stacks", "_gometa_introspect", "_gometa_runtime")

# The fields of tchannel-go 1.34.5 and their JSON types, as its structs have them.
EXCHANGE = {"id": int, "messageType": int}
EXCHANGES = {"name": str, "count": int, "exchanges": {"*": EXCHANGE}}
VERSION = {"language": str, "languageVersion": str, "tchannelVersion": str}
PEER_INFO = {"hostPort": str, "processName": str, "isEphemeral": bool, "version": VERSION}
LOCAL_PEER = {**PEER_INFO, "serviceName": str}
RELAY_ITEMS = {"name": str, "count": int}
CONNECTION = {
    "id": int,
    "connectionState": str,
    "localHostPort": str,
    "remoteHostPort": str,
    "outboundHostPort": str,
    "remotePeer": PEER_INFO,
    "inboundExchange": EXCHANGES,
    "outboundExchange": EXCHANGES,
    "relayer": {
        "count": int,
        "inboundItems": RELAY_ITEMS,
        "outboundItems": RELAY_ITEMS,
        "maxTimeout": int,
        "maxConnectionTimeout": int,
    },
    "lastActivityRead": int,
    "lastActivityWrite": int,
    "sendChQueued": int,
    "sendChCapacity": int,
    "sendBufferUsage": int,
    "sendBufferSize": int,
}
PEER = {
    "hostPort": str,
    "outboundConnections": [CONNECTION],
    "inboundConnections": [CONNECTION],
    "chosenCount": int,
    "scCount": int,
}
RUNTIME_STATE = {
    "id": int,
    "channelState": str,
    "createdStack": str,
    "localPeer": LOCAL_PEER,
    "subChannels": {
        "*": {"service": str, "isolated": bool, "handler": {"type": str, "methods": [str]}}
    },
    "rootPeers": {"*": PEER},
    "peers": [{"hostPort": str, "score": int}],
    "numConnections": int,
    "connections": [int],
    "inactiveConnections": [CONNECTION],
    "otherChannels": {"*": [{"id": int, "createdStack": str, "localPeer": LOCAL_PEER}]},
    "runtimeVersion": {"goVersion": str, "tchannelVersion": str},
}


def differences(told, shape, where="state"):
    """What of a JSON value has not the shape."""
    if isinstance(shape, type):
        return [] if type(told) is shape else [f"{where} is {told!r}"]
    if isinstance(shape, list):
        return [
            difference
            for number, each in enumerate(told)
            for difference in differences(each, shape[0], f"{where}[{number}]")
        ]
    if "*" in shape:
        shape = dict.fromkeys(told, shape["*"])
    if set(told) != set(shape):
        return [f"{where} has {sorted(set(told) ^ set(shape))} or has not"]
    return [
        difference
        for name, each in told.items()
        for difference in differences(each, shape[name], f"{where}.{name}")
    ]


@pytest.fixture(name="pair")
async def pair_fixture(tcp):
    """A client, and a server that tells all it can."""
    server = tcp("svc", hostport="127.0.0.1:0", options=Options(introspection_stacks=True))

    @server.raw.register("wait")
    async def wait(request):
        await asyncio.get_running_loop().create_future()

    server.listen()
    client = tcp("client", known_peers=[server.hostport])
    return client, server


async def ask(client, endpoint, body=None, **kwargs):
    return (await client.json("tchannel", endpoint, body or {}, **kwargs)).body


async def test_stats_are_the_snapshot(pair):
    client, _ = pair

    snapshot = Snapshot.from_dict(await ask(client, "tchannel::stats", {"most": 5}))

    assert snapshot.service == "svc"
    assert snapshot.connections_open == {"incoming": 1, "outgoing": 0}
    assert [call.endpoint for call in snapshot.in_flight] == ["tchannel::stats"]


@pytest.mark.parametrize("most", [-1, "five", True, None, 1.5])
async def test_what_is_no_count_is_a_bad_request(pair, most):
    with pytest.raises(errors.BadRequestError, match="most must be a number from 0"):
        await ask(pair[0], "tchannel::stats", {"most": most})


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff", b"7"])
async def test_a_body_that_is_no_object_is_a_bad_request(pair, body):
    for endpoint in ALL:
        with pytest.raises(errors.BadRequestError):
            await pair[0].raw("tchannel", endpoint, body)


async def test_raw_callers_without_a_body_get_the_same(pair):
    answer = await pair[0].raw("tchannel", "tchannel::stats", b"")

    assert json.loads(answer.body)["service"] == "svc"


async def test_the_state_has_the_fields_and_types_of_tchannel_go(pair):
    client, server = pair
    call = client.raw("svc", "wait", b"")
    other = TChannel("other")
    await client.raw("tchannel", "tchannel::stats", b"")

    state = await ask(
        client,
        "_gometa_introspect",
        {"includeExchanges": True, "includeEmptyPeers": True, "includeOtherChannels": True},
    )

    assert differences(state, RUNTIME_STATE) == []
    assert state["channelState"] == "ChannelListening"
    assert state["localPeer"]["serviceName"] == "svc"
    assert state["localPeer"]["hostPort"] == server.hostport
    assert "wait" in state["subChannels"]["svc"]["handler"]["methods"]
    ((peer,),) = [[peer["inboundConnections"] for peer in state["rootPeers"].values()]]
    assert peer[0]["connectionState"] == "connectionActive"
    assert peer[0]["inboundExchange"]["count"] == 2
    assert other.name in state["otherChannels"]
    call.cancel()


def number_of(channel, told):
    """The number of a channel among those that were told."""
    named = told[channel.name]  # those of other tests may not be collected yet
    (number,) = [each["id"] for each in named if each["localPeer"]["hostPort"] == channel.hostport]
    return number


async def test_another_channel_is_told_of_by_its_number(pair, tcp):
    client, _ = pair
    everything = {"includeOtherChannels": True}
    other = tcp("other")
    other.listen()
    told = (await ask(client, "_gometa_introspect", everything))["otherChannels"]
    number = number_of(other, told)

    state = await ask(client, "_gometa_introspect", {"id": number})

    assert state["localPeer"]["serviceName"] == "other"
    assert state["id"] == number
    own = await ask(client, "_gometa_introspect")
    assert (await ask(client, "_gometa_introspect", {"id": own["id"]}))["id"] == own["id"]


@pytest.mark.parametrize("kept", ["off", "authorize"])
async def test_a_channel_that_tells_less_is_not_found_by_its_number(pair, tcp, kept):
    client, _ = pair
    more = (
        {"options": Options(introspection="off")}
        if kept == "off"
        else {"authorize": lambda access: False}
    )
    other = tcp("other", **more)
    other.listen()
    told = await ask(client, "_gometa_introspect", {"includeOtherChannels": True})
    number = number_of(other, told["otherChannels"])

    for wanted in (number, -1, "7", [1]):
        answer = await ask(client, "_gometa_introspect", {"id": wanted})
        assert list(answer) == ["error"]
        assert answer["error"].startswith('failed to find channel with "id": ')


async def test_the_state_of_a_client_is_that_of_its_peers(pair):
    client, server = pair
    await ask(client, "tchannel::stats")
    # The server asks back over the client's own connection.
    (caller,) = inside(server).peers_table.callers

    state = await ask(server, "_gometa_introspect", hostport=caller)

    assert state["channelState"] == "ChannelClient"
    assert [peer["hostPort"] for peer in state["peers"]] == [server.hostport]
    assert state["rootPeers"][server.hostport]["chosenCount"] == 1
    assert state["rootPeers"][server.hostport]["outboundConnections"][0]["outboundHostPort"]


async def test_the_runtime_has_the_fields_and_types_of_tchannel_go(pair):
    told = await ask(pair[0], "_gometa_runtime")

    memory = told.pop("memStats")
    assert {name: type(value) for name, value in told.items()} == {
        "numGoRoutines": int,
        "numCPU": int,
        "numCGo": int,
    }
    assert memory["Sys"] > 1_000_000
    for name, value in memory.items():
        if name in ("PauseNs", "PauseEnd", "BySize"):
            assert isinstance(value, list)
        elif name in ("EnableGC", "DebugGC"):
            assert isinstance(value, bool)
        else:
            assert type(value) is (float if name == "GCCPUFraction" else int)


async def test_stacks_name_the_endpoint_of_each_handler_and_where_it_is(pair):
    client, _ = pair
    call = client.raw("svc", "wait", b"")
    await ask(client, "tchannel::stats")

    told = await ask(client, "tchannel::stacks")
    as_text = (await ask(client, "_gometa_runtime", {"includeGoStacks": True}))["goStacks"]

    (stack,) = [task["stack"] for task in told["tasks"] if task["name"] == "svc wait"]
    assert any("test_introspection.py" in line and line.endswith("wait") for line in stack)
    assert any("MainThread" in thread["name"] for thread in told["threads"])
    assert "task svc wait:" in base64.b64decode(as_text).decode()
    call.cancel()


async def test_stacks_are_off_until_they_are_switched_on(tcp):
    server = tcp("svc", hostport="127.0.0.1:0")
    server.listen()
    client = tcp("client", known_peers=[server.hostport])

    with pytest.raises(errors.BadRequestError, match="introspection_stacks=True"):
        await ask(client, "tchannel::stacks")
    assert "goStacks" not in await ask(client, "_gometa_runtime", {"includeGoStacks": True})


async def test_switched_off_nobody_is_answered_but_those_who_ask_for_health(tcp):
    server = tcp("svc", hostport="127.0.0.1:0", options=Options(introspection="off"))
    server.listen()
    client = tcp("client", known_peers=[server.hostport])

    for endpoint in ALL:
        with pytest.raises(errors.BadRequestError, match="is not defined"):
            await ask(client, endpoint)
    for endpoint in ("Meta::health", "Meta::versionInfo"):
        assert (await client.call("thrift", "tchannel", endpoint, b"\0\0", b"\0")).status == 0


def remote(channel):
    """Let the caller's socket look as if it were of another machine."""
    for connection in inside(channel).connections:
        connection.address = "198.51.100.7:4040"


@pytest.mark.parametrize(("who", "answered"), [("local", False), ("all", True)])
async def test_a_caller_of_another_machine_is_answered_where_all_are(tcp, who, answered):
    server = tcp("svc", hostport="127.0.0.1:0", options=Options(introspection=who))
    server.listen()
    client = tcp("client", known_peers=[server.hostport])
    await ask(client, "tchannel::stats")
    remote(server)

    if answered:
        assert (await ask(client, "tchannel::stats"))["service"] == "svc"
    else:
        for endpoint in ALL:
            with pytest.raises(errors.BadRequestError, match="not authorized"):
                await ask(client, endpoint)
    assert (await client.call("thrift", "tchannel", "Meta::health", b"\0\0", b"\0")).status == 0


async def test_authorize_sees_who_asks(tcp):
    seen = []

    def nobody(access):
        seen.append((access.service, access.endpoint))
        return False

    server = tcp("svc", hostport="127.0.0.1:0", authorize=nobody)
    server.listen()
    client = tcp("client", known_peers=[server.hostport])

    with pytest.raises(errors.BadRequestError):
        await ask(client, "_gometa_introspect")
    assert seen == [("tchannel", "_gometa_introspect")]


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        ("127.0.0.1:4040", True),
        ("127.8.0.1:4040", True),
        ("[::1]:4040", True),
        ("[::ffff:127.0.0.1]:4040", True),
        ("unix:/run/svc.sock", True),
        ("192.0.2.1:4040", False),
        ("[2001:db8::1]:4040", False),
        ("0.0.0.0:4040", False),
        ("localhost.example.org:4040", False),
        ("127.0.0.1.example.org:4040", False),
    ],
)
def test_local_is_loopback_and_unix_sockets(peer, local):
    access = Access(
        channel=TChannel("svc"),
        peer=peer,
        announced="127.0.0.1:1",
        certificate=None,
        caller_name="x",
        service="tchannel",
        endpoint="tchannel::stats",
        scheme="json",
        headers={},
    )

    assert is_local(access) is local


def test_who_may_ask_is_one_of_three():
    with pytest.raises(ValueError, match="introspection must be 'local', 'all' or 'off'"):
        Options(introspection="everybody")
