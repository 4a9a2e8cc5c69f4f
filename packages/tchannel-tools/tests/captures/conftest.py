"""Captures made by hand: real frames of two joined connections, as TCP packets in files."""

import dpkt
import pytest

import tchannel_wire as wire

CLIENT = ("10.0.0.1", 40000)
SERVER = ("10.0.0.2", 4040)


class Capture:
    """Writes the packets of connections; numbers of bytes are counted as TCP does."""

    def __init__(self, ipv6=False):
        self.packets = []
        self.time = 1_700_000_000.0
        self.ipv6 = ipv6
        self.next = {}

    def syn(self, source=CLIENT, target=SERVER, start=1000):
        self.next[source, target] = start
        self.next[target, source] = start
        self.packet(source, target, b"", flags=dpkt.tcp.TH_SYN)
        self.packet(target, source, b"", flags=dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)
        self.next[source, target] = self.next[target, source] = (start + 1) % 2**32

    def send(self, data, source=CLIENT, target=SERVER, size=1400):
        """Send bytes in packets of at most that size."""
        for start in range(0, len(data), size):
            self.packet(source, target, data[start : start + size])

    def lose(self, data, source=CLIENT, target=SERVER):
        """Send bytes that the capture does not see."""
        self._advance(source, target, len(data))

    def _advance(self, source, target, size):
        sequence = self.next.setdefault((source, target), 5000)
        self.next[source, target] = (sequence + size) % 2**32
        return sequence

    def packet(self, source, target, data, flags=dpkt.tcp.TH_ACK, sequence=None, cut=None):
        if sequence is None:
            sequence = self._advance(source, target, len(data))
        self.time += 0.001
        tcp = dpkt.tcp.TCP(
            sport=source[1],
            dport=target[1],
            seq=sequence,
            ack=self.next.get((target, source), 0),
            flags=flags,
            data=data,
        )
        if self.ipv6:
            ends = [bytes(15) + bytes((int(end[0][-1]),)) for end in (source, target)]
            ip = dpkt.ip6.IP6(src=ends[0], dst=ends[1], nxt=6, data=tcp, plen=len(tcp), hlim=64)
            kind = dpkt.ethernet.ETH_TYPE_IP6
        else:
            ends = [bytes(map(int, end[0].split("."))) for end in (source, target)]
            ip = dpkt.ip.IP(src=ends[0], dst=ends[1], p=6, data=tcp)
            ip.len = len(ip)
            kind = dpkt.ethernet.ETH_TYPE_IP
        packet = bytes(dpkt.ethernet.Ethernet(src=bytes(6), dst=bytes(6), type=kind, data=ip))
        self.packets.append((self.time, packet if cut is None else packet[:cut]))

    def write(self, path, kind="pcap"):
        with path.open("wb") as file:
            writer = (dpkt.pcap if kind == "pcap" else dpkt.pcapng).Writer(file)
            for time, packet in self.packets:
                writer.writepkt(packet, time)
        return path


class Talk:
    """Two connections that talk, and the capture of it."""

    def __init__(self, capture, source=CLIENT, target=SERVER):
        self.capture = capture
        self.ends = (source, target)
        self.client = wire.Connection(
            opener=True, host_port="10.0.0.1:40000", process_name="client", now=0.0
        )
        self.server = wire.Connection(
            opener=False, host_port="10.0.0.2:4040", process_name="server", now=0.0
        )

    def begin(self):
        self.capture.syn(*self.ends)
        self.requests()
        self.answers()
        return self

    def requests(self):
        """Send what the client has to say; gives what the server made of it."""
        data = self.client.data_to_send()
        self.capture.send(data, *self.ends)
        return self.server.receive(data, 0.0)

    def answers(self):
        data = self.server.data_to_send()
        self.capture.send(data, *reversed(self.ends))
        return self.client.receive(data, 0.0)

    def call(self, endpoint, arg2=b"", arg3=b"", scheme="raw", service="keyvalue"):
        prepared = wire.prepare_call(
            service, {"as": scheme, "cn": "client"}, endpoint.encode(), wire.ChecksumType.CRC32C
        )
        call = self.client.call(prepared, arg2, arg3, ttl=1.0, tracing=bytes(25), now=0.0)
        events = self.requests()
        return call, events

    def answer(self, id, arg2=b"", arg3=b"", scheme="raw", code=0):
        self.server.respond(id, wire.encode_headers({"as": scheme}), arg2, arg3, code=code)
        return self.answers()

    def echo(self, endpoint="echo", arg2=b"", arg3=b"", scheme="raw", code=0):
        _, events = self.call(endpoint, arg2, arg3, scheme)
        (request,) = (one for one in events if isinstance(one, wire.RequestReceived))
        self.answer(request.id, request.arg2, request.arg3, scheme, code)


@pytest.fixture
def capture():
    return Capture()


@pytest.fixture
def talk(capture):
    """A connection after its handshake, captured from its beginning."""
    return Talk(capture).begin()


@pytest.fixture
def new_talk():
    return Talk


@pytest.fixture
def new_capture():
    return Capture


@pytest.fixture
def decode(tmp_path, capsys):
    """Run ``tchannel decode``: ``(code, standard output, standard error)``."""
    from tchannel_tools.main import main

    def run(capture, *options, kind="pcap"):
        path = capture.write(tmp_path / f"calls.{kind}", kind)
        code = main(["decode", str(path), *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
