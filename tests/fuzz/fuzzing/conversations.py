"""Connections in any state, whatever the peer sends, the user does and the clock says.

`receive` and `expire` raise nothing; what is to be sent are whole frames that can be read; every call
has one end, ours as well as the peer's; and when all is over, nothing is held.
"""

from collections import Counter
from typing import Any

from fuzzing.choices import Choices

import tchannel_wire as wire

__all__ = ["connection", "conversation"]

_LIMITS = wire.Options(
    max_message_size=200_000, reassembly_memory=400_000, max_frames_per_message=64
)
_HEADERS = {"as": "raw", "cn": "me"}
_BLOCK = wire.encode_headers({"as": "raw"})
_PREPARED = [
    wire.prepare_call("svc", _HEADERS, b"echo", checksum_type)
    for checksum_type in (
        wire.ChecksumType.CRC32C,
        wire.ChecksumType.CRC32,
        wire.ChecksumType.NONE,
    )
]
# Of one run: a long one says no more than several short ones.
_MOST_STEPS = 60
_MOST = (None, 1, 2, 64)
_STEPS = (0.0, 0.001, 0.5, 4.9, 5.1, 60.0, 5_000_000.0)


class _End:
    """One connection and the account of everything that was told about it."""

    def __init__(self, *, opener: bool, stream: bool, most: int | None) -> None:
        self.now = 1.0
        #: How many frames are looked at in one turn; None for all.
        self.most = most
        self.connection = wire.Connection(
            opener=opener,
            host_port="127.0.0.1:1",
            process_name="fuzz",
            now=self.now,
            options=_LIMITS,
            stream_request=(lambda request: request.id % 2 == 0) if stream else None,
        )
        self.calls: set[int] = set()  # the numbers of our calls
        self.by_number: dict[int, wire.OutboundCall] = {}
        self.ends: Counter[int] = Counter()
        self.requests: dict[int, bool] = {}  # told to the user; whether it may still be answered
        self.writers: list[Any] = []
        self.closed = False
        self._sent = wire.FrameBuffer()

    # -- what happens ---------------------------------------------------------------------------

    def take(self, events: list[Any]) -> None:
        """Note what was told, and that it may be told now."""
        for event in events:
            assert not self.closed, f"{event!r} after the end"
            repr(event)
            match event:
                case wire.ResponseReceived(more=False) | wire.ResponseChunk(last=True):
                    self.ends[event.context] += 1
                case wire.ErrorReceived() | wire.CallFailed() | wire.CallExpired():
                    self.ends[event.context] += 1
                case wire.ResponseReceived() | wire.ResponseChunk():
                    assert not self.ends[event.context], f"{event!r} after the call's end"
                case wire.RequestReceived():
                    assert event.id not in self.requests, f"{event!r} while it is in flight"
                    self.requests[event.id] = True
                case wire.RequestChunk():
                    assert event.id in self.requests or event.id not in self.connection.inbound
                case wire.CancelReceived() | wire.RequestExpired():
                    assert event.id in self.requests, f"{event!r} of nobody's call"
                    del self.requests[event.id]
                case wire.RequestRefused():
                    self.requests.pop(event.id, None)
                case wire.ConnectionClosed():
                    self.closed = True
                    for _, number, _ in event.calls:
                        self.ends[number] += 1
                    self.requests.clear()
        assert self.closed == (self.connection.state is wire.ConnectionState.CLOSED)
        assert max(self.ends.values(), default=0) <= 1, f"ended twice: {self.ends}"
        self._forget_answered()
        self._count_memory()

    def _forget_answered(self) -> None:
        """An answer that is given whole is the end of a request that nobody tells."""
        for id in [id for id in self.requests if id not in self.connection.inbound]:
            del self.requests[id]

    def _count_memory(self) -> None:
        sides = (*self.connection.inbound.values(), *self.connection.outbound.values())
        held = [call._flow.reader.memory for call in sides if call._flow and call._flow.reader]
        assert self.connection._reassembly == sum(held)
        assert sum(held) <= _LIMITS.reassembly_memory

    def receive(self, data: bytes) -> None:
        self._forget_answered()  # by the user, meanwhile: the peer may use their ids again
        if self.most is None:
            self.take(self.connection.receive(data, self.now))
        else:
            self.take(self.connection.receive(data, self.now, self.most))

    def read_on(self) -> None:
        """Look at all that has been received, in as many turns as it takes."""
        while (unread := self.connection.unread) and not self.closed:
            self.receive(b"")
            assert self.connection.unread < unread

    def send(self) -> bytes:
        """What is to be sent, after a look at it."""
        data = self.connection.data_to_send()
        for frame in self._sent.split(data):
            wire.decode(frame)
        assert self._sent.error is None
        return data

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.connection.expire(self.now))

    # -- what the user does ---------------------------------------------------------------------

    def act(self, choices: Choices) -> None:
        """One of the things that a user may do in this state."""
        open_states = (wire.ConnectionState.OPEN, wire.ConnectionState.DRAINING)
        if self.connection.state not in open_states:
            return
        choices.one_of(
            [
                self._call,
                self._start_call,
                self._write,
                self._cancel,
                self._respond,
                self._start_response,
                self._fail,
                self._say,
            ]
        )(choices)

    def _arguments(self, choices: Choices) -> dict[str, Any]:
        number = len(self.calls)
        self.calls.add(number)
        return {
            "ttl": choices.one_of((0.0, 0.01, 5.0, 1e9)),
            "tracing": wire.NO_TRACING,
            "context": number,
            "now": self.now,
            "stream_response": choices.flag(),
        }

    def _call(self, choices: Choices) -> None:
        size = choices.one_of((0, 1, 5, 0, 1, 65_400, 65_480, 70_000))
        arguments = self._arguments(choices)
        call = self.connection.call(
            choices.one_of(_PREPARED), choices.some(8), bytes(size), **arguments
        )
        self.by_number[arguments["context"]] = call

    def _start_call(self, choices: Choices) -> None:
        arguments = self._arguments(choices)
        call = self.connection.start_call(choices.one_of(_PREPARED), choices.some(8), **arguments)
        self.by_number[arguments["context"]] = call
        self.writers.append(call.writer)

    def _write(self, choices: Choices) -> None:
        if self.writers:
            writer = self.writers[choices.number(len(self.writers))]
            if choices.flag():
                writer.write(bytes(choices.one_of((0, 1, 2, 70_000))))
            else:
                writer.finish()
                self.writers.remove(writer)

    def _cancel(self, choices: Choices) -> None:
        if self.calls:
            number = choices.number(len(self.calls))
            call = self.by_number[number]
            if self.connection.outbound.get(call.id) is call:
                self.ends[number] += 1
            if self.connection.outbound.get(call.id) in (call, None):
                self.connection.cancel(call.id, "why not", now=self.now)

    def _one_request(self, choices: Choices) -> int:
        known = [*self.requests, *self.connection.inbound, 1]
        return known[choices.number(len(known))]

    def _respond(self, choices: Choices) -> None:
        size = choices.one_of((0, 3, 1, 0, 65_480, 70_000))
        id = self._one_request(choices)
        self.connection.respond(id, _BLOCK, choices.some(8), bytes(size), choices.number(2))

    def _start_response(self, choices: Choices) -> None:
        id = self._one_request(choices)
        self.writers.append(self.connection.start_response(id, _BLOCK, choices.some(8)))

    def _fail(self, choices: Choices) -> None:
        self.connection.fail(self._one_request(choices), 1 + choices.number(8), "no")

    def _say(self, choices: Choices) -> None:
        match choices.number(4):
            case 0:
                self.connection.ping(self.now)
            case 1:
                self.connection.drain("leaving")
            case 2:
                self.take(self.connection.close(self.now))
            case _:
                self.take(self.connection.receive_eof(self.now))

    # -- the end --------------------------------------------------------------------------------

    def finish(self) -> None:
        """After a very long time every call has ended; after the end nothing is held."""
        self.read_on()
        self.send()
        self.pass_time(1e10)
        self.send()
        assert not self.connection.outbound
        assert self.connection._reassembly == 0
        if not self.closed:
            self.take(self.connection.close(self.now))
        self.send()
        assert set(self.ends) == self.calls, f"without an end: {self.calls - set(self.ends)}"
        assert len(self.connection.deadlines) == 0


def connection(data: bytes) -> None:
    """One connection, in either role, and a peer that sends anything."""
    choices = Choices(data)
    opener = choices.flag()
    end = _End(opener=opener, stream=choices.flag(), most=choices.one_of(_MOST))
    if choices.number(8):  # mostly the handshake is done properly
        other = wire.Connection(
            opener=not opener, host_port="127.0.0.1:2", process_name="peer", now=1.0
        )
        other.receive(end.send(), 1.0)
        end.receive(other.data_to_send())
        end.send()
        if not opener:
            other.receive(end.send(), 1.0)
    for _ in range(_MOST_STEPS):
        if not choices.left:
            break
        match choices.number(8):
            case 0:
                end.receive(choices.some(256))
            case 1:
                payload = choices.some(128)
                type = choices.one_of([*wire.FrameType])
                end.receive(wire.Frame(type, choices.number(8), payload).encode())
            case 2 | 3:
                message = _message(choices)
                if message is not None:
                    end.receive(message)
            case 4:
                end.pass_time(choices.one_of(_STEPS))
            case 5:
                end.send()
            case _:
                end.act(choices)
    end.finish()


def _message(choices: Choices) -> bytes | None:
    """A message that can be read, right or wrong in this state."""
    kind = choices.number(8)
    id = choices.number(8)
    flags = choices.number(2)
    chunks = [choices.some(8) * choices.one_of((1, 1, 500)) for _ in range(choices.number(4))]
    checksum_type = choices.one_of([*wire.ChecksumType])
    common = {"flags": flags, "checksum_type": checksum_type, "chunks": chunks}
    message: Any
    match kind:
        case 0 | 1:
            headers = choices.one_of([_HEADERS, {}, {"as": "raw"}])
            ttl_ms = choices.one_of((0, 1, 1000, 0xFFFFFFFF))
            service = choices.one_of(("svc", "", "svc"))
            message = wire.CallRequest(
                id=id, ttl_ms=ttl_ms, service=service, headers=headers, **common
            )
        case 2 | 3:
            message = wire.CallResponse(
                id=id, code=choices.number(3), headers={"as": "raw"}, **common
            )
        case 4:
            message = wire.CallRequestContinue(id=id, **common)
        case 5:
            message = wire.CallResponseContinue(id=id, **common)
        case 6:
            message = wire.Cancel(id=id)
        case _:
            code = choices.one_of((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xFF))
            message = wire.ErrorMessage(
                id=choices.one_of((id, wire.NO_MESSAGE_ID)), code=code, description="x"
            )
    try:
        return wire.encode(message)
    except (ValueError, wire.ProtocolError):
        return None


def conversation(data: bytes) -> None:
    """Two of our connections, joined; bytes come late and in pieces, but come."""
    choices = Choices(data)
    ends = [
        _End(opener=opener, stream=choices.flag(), most=choices.one_of(_MOST))
        for opener in (True, False)
    ]
    under_way = [bytearray(), bytearray()]  # towards the end with that index
    for _ in range(_MOST_STEPS):
        if not choices.left:
            break
        index = choices.number(2)
        end = ends[index]
        match choices.number(8):
            case 0 | 1:
                under_way[1 - index] += end.send()
            case 2 | 3:
                size = choices.one_of((1, 17, 1000, 1 << 20))
                arriving = bytes(under_way[index][:size])
                del under_way[index][:size]
                end.receive(arriving)
            case 4:
                seconds = choices.one_of(_STEPS)
                for each in ends:
                    each.pass_time(seconds)
            case _:
                end.act(choices)
    # All that was sent arrives, and is answered: nobody broke the protocol.
    for _ in range(1000):
        for index, end in enumerate(ends):
            under_way[1 - index] += end.send()
            end.receive(bytes(under_way[index]))
            under_way[index].clear()
            end.read_on()
        if not any(end.connection.has_data for end in ends):
            break
    for end in ends:
        end.finish()
