"""What hosts tell, as rows: our stats, and the introspection of tchannel-go."""

from tchannel.stats import CallInFlight, CallStats, Histogram, LoopLag, PeerStats, Snapshot
from tchannel_tools._calling.introspection import Introspection
from tchannel_tools.top.rows import EndpointRow, PeerRow, from_introspection, from_snapshots

# What tchannel-go 1.34.5 answers, shortened: a service with a caller, which waits for one call.
GO = {
    "id": 1,
    "channelState": "ChannelListening",
    "localPeer": {
        "hostPort": "127.0.0.1:4040",
        "isEphemeral": False,
        "processName": "server[7]",
        "serviceName": "goserver",
    },
    "subChannels": {
        "goserver": {
            "service": "goserver",
            "isolated": False,
            "handler": {
                "type": "methods",
                "methods": ["echo", "KeyValue::get"],
            },
        },
        "tchannel": {
            "service": "tchannel",
            "handler": {"type": "methods", "methods": ["_gometa_introspect"]},
        },
    },
    "rootPeers": {
        "127.0.0.1:50000": {
            "hostPort": "127.0.0.1:50000",
            "inboundConnections": [
                {
                    "id": 3,
                    "connectionState": "connectionActive",
                    "remoteHostPort": "127.0.0.1:50000",
                    "inboundExchange": {"name": "inbound", "count": 1, "exchanges": {"4": {}}},
                    "outboundExchange": {"name": "outbound", "count": 0},
                }
            ],
            "outboundConnections": [],
            "chosenCount": 5,
        },
        "10.0.0.9:4040": {"hostPort": "10.0.0.9:4040", "chosenCount": 0},
    },
    "numConnections": 1,
}


def calls(ended: int, *, in_flight: int = 0, milliseconds: float = 10.0, errors: int = 0):
    return CallStats(
        "incoming",
        "svc",
        "get",
        "caller",
        outcomes={"success": ended, "timeout": errors},
        in_flight=in_flight,
        latency=Histogram.of([milliseconds / 1000] * ended),
    )


def snapshot(rows, seconds, *, pid=7, in_flight=()):
    return Snapshot(
        service="svc",
        process_name="svc[7]",
        hostport="127.0.0.1:4040",
        state="open",
        pid=pid,
        version="0.1.0",
        python="3.13.1",
        taken_at=1000.0 + seconds,
        seconds=seconds,
        incoming=rows,
        outgoing=[],
        in_flight=list(in_flight),
        incoming_in_flight=len(in_flight),
        outgoing_in_flight=0,
        connections=[],
        connections_open={"incoming": 2, "outgoing": 1},
        connections_made={},
        handshakes_failed={},
        peers=[PeerStats("10.0.0.1:1", True, "connected", 1, 3, 0, 9, 3, 0.0, 0.0, "")],
        peers_total=1,
        limits=[],
        bytes_received=0,
        bytes_sent=0,
        limits_reached={},
        loop_lag=LoopLag(0.001, 0.002),
    )


def test_rates_and_latencies_are_of_the_time_between_two_looks():
    before = snapshot([calls(100, milliseconds=500)], 60.0)
    now = snapshot([calls(100, milliseconds=500) + calls(20, milliseconds=10, errors=4)], 62.0)

    (row,) = from_snapshots("h:1", now, before).endpoints
    assert (row.way, row.service, row.endpoint) == ("in", "svc", "get")
    assert (row.rate, row.errors, row.calls) == (12.0, 2.0, 124)
    assert 0.009 < row.p50 <= row.p99 < 0.011


def test_at_first_they_are_of_all_its_life():
    (row,) = from_snapshots("h:1", snapshot([calls(120)], 60.0), None).endpoints

    assert row.rate == 2.0


def test_what_another_process_told_is_not_looked_at():
    before = snapshot([calls(1000)], 60.0, pid=6)
    (row,) = from_snapshots("h:1", snapshot([calls(120)], 60.0), before).endpoints

    assert row.rate == 2.0


def test_peers_and_calls_in_flight_are_told():
    call = CallInFlight(
        "incoming", "svc", "get", "c", "10.0.0.2:5", 9, 1.5, 2.0, "turn", 0, "0" * 16
    )
    host = from_snapshots("h:1", snapshot([calls(1, in_flight=1)], 1.0, in_flight=[call]), None)

    assert host.peers == [PeerRow("h:1", "10.0.0.1:1", "connected", 1, 3, 9)]
    assert [(one.way, one.endpoint, one.age, one.waits) for one in host.calls] == [
        ("in", "get", 1.5, "turn")
    ]
    assert (host.connections, host.in_flight, host.lag) == (3, 1, 0.002)


def test_of_a_go_service_there_are_endpoints_peers_and_open_calls():
    host = from_introspection("h:1", Introspection(GO))

    assert (host.service, host.process, host.state) == ("goserver", "server[7]", "ChannelListening")
    assert EndpointRow("h:1", "in", "goserver", "KeyValue::get") in host.endpoints
    assert host.peers == [
        PeerRow("h:1", "127.0.0.1:50000", "connected", 1, 0, 5),
        PeerRow("h:1", "10.0.0.9:4040", "unconnected", 0, 0, 0),
    ]
    assert [(one.way, one.peer) for one in host.calls] == [("in", "127.0.0.1:50000")]
    assert (host.connections, host.in_flight) == (1, 1)


def test_nonsense_is_shown_as_what_it_leaves():
    told = Introspection(
        {"localPeer": 5, "subChannels": [], "rootPeers": {"x": 1}, "numConnections": "many"}
    )

    host = from_introspection("h:1", told)
    assert (host.service, host.endpoints, host.calls) == ("", [], [])
