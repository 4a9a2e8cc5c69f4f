"""How much waits in the router for whoever does not read, and that all of it arrives in the end."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

import tchannel_wire as wire
from tchannel_hyperbahn import Router
from tchannel_hyperbahn.router.writing import STALLED_AFTER, FrameWriter

KIB = 1024
FIRST_READ = 512  # the bytes by which the router looks whom a frame is for
FRAME = 0xFFFF
BODY = bytes(60_000)


@pytest.fixture
def most_waiting(monkeypatch):
    """The most bytes that ever waited for each connection, looked at after every frame."""
    most = {}
    forward = FrameWriter.forward

    def watched(self, frame, id):
        forward(self, frame, id)
        most[self] = max(most.get(self, 0), self.waiting)

    monkeypatch.setattr(FrameWriter, "forward", watched)
    return most


@pytest.fixture
def connect(open_raw):
    """A function that opens connections to a router, handshake included."""

    async def open_many(router, number):
        peers = [await open_raw(router.hostport) for _ in range(number)]
        for peer in peers:
            await peer.shake_hands()
        return peers

    return open_many


@pytest.fixture
def serve_raw(connect):
    """A function that opens a connection and advertises a name on it."""

    async def serve(router, name="service"):
        (peer,) = await connect(router, 1)
        await peer.advertise(name)
        return peer

    return serve


def answer(id, body=BODY):
    return wire.CallResponse(id=id, headers={"as": "raw"}, chunks=[b"", b"", body])


@contextlib.asynccontextmanager
async def being_read(peer):
    """Read on, whatever comes."""

    async def read():
        while True:
            await peer.next_frame()

    peer.read_on()
    reading = asyncio.create_task(read())
    yield
    reading.cancel()
    await asyncio.wait([reading])


async def stall(clock, condition):
    """Let as much time pass as who reads nothing is given, until ``condition()``.

    Once may not do: the system's buffers may have taken a few bytes meanwhile.
    """
    for _ in range(20):
        clock.advance(STALLED_AFTER)
        for _ in range(50):  # turns of the loop
            if condition():
                return
            await asyncio.sleep(0)
    raise AssertionError("nobody was closed")


def held(router, *peers):
    """Whether nothing more is read from any of these."""
    return all(not peer.connection_in(router).transport.is_reading() for peer in peers)


def kept(router):
    """Bytes that senders have handed over and that were not passed on."""
    return sum(connection.kept for connection in router.connections)


# -- the bound ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "size"),
    [(1, 100), (20, 100), (200, 1000), (1, 60_000), (20, 60_000), (200, 60_000)],
)
async def test_requests_for_a_service_that_does_not_read_are_bounded_in_all(
    connect, serve_raw, frames, eventually, most_waiting, number, size, clock
):
    async with Router(clock=clock) as router:
        service, senders = await serve_raw(router), await connect(router, number)
        service.stop_reading(router)
        frame = wire.encode(frames.call(1, chunks=[b"endpoint", b"", bytes(size)]))
        # More than the limit and what the system takes of each: 200 kB from the many.
        each = (6_000_000 // number + 300_000) // len(frame)
        for sender in senders:
            sender.writer.write(b"".join(wire.replace_id(frame, id + 1) for id in range(each)))

        await eventually(lambda: held(router, *senders))
        (receiver, most), *others = most_waiting.items()
        assert others == []
        assert receiver is service.connection_in(router)
        assert router.limits.full_at < most <= 1024 * KIB
        # Besides, each sender keeps the frame it was about to hand over, and most only its beginning.
        assert kept(router) <= 16 * FRAME + number * 2 * FIRST_READ

        service.read_on()
        for _ in range(number * each):
            assert len(await service.next_frame()) == len(frame)
        assert most_waiting[receiver] <= 1024 * KIB
        await eventually(lambda: not router.slow)
        assert kept(router) == 0


@pytest.mark.parametrize("number", [1, 20, 200])
async def test_answers_for_a_caller_that_does_not_read_are_bounded_in_all(
    connect, serve_raw, frames, eventually, most_waiting, number, clock
):
    async with Router(clock=clock) as router:
        services = [await serve_raw(router, f"service-{n}") for n in range(number)]
        (caller,) = await connect(router, 1)
        each = 100 // number + 3
        for round in range(each):
            for n, service in enumerate(services):
                caller.send(frames.call(1 + round * number + n, f"service-{n}"))
                service.pending = [*getattr(service, "pending", []), (await service.next()).id]
        caller.stop_reading(router)
        most_waiting.clear()

        for service in services:
            service.send(*[answer(id) for id in service.pending])

        # One whose answers were all read at once has nothing left to be held for.
        await eventually(
            lambda: all(
                held(router, service) or not service.connection_in(router).outgoing
                for service in services
            )
        )
        assert list(most_waiting) == [caller.connection_in(router)]
        assert router.limits.full_at < max(most_waiting.values()) <= 1024 * KIB
        assert kept(router) <= 16 * FRAME + number * 2 * FIRST_READ

        caller.read_on()
        ids = sorted([(await caller.next()).id for _ in range(each * number)])
        assert ids == list(range(1, each * number + 1))
        assert max(most_waiting.values()) <= 1024 * KIB


async def test_frames_that_senders_had_begun_before_are_kept_by_them(
    connect, serve_raw, frames, eventually, most_waiting, clock
):
    async with Router(clock=clock) as router:
        service, senders = await serve_raw(router), await connect(router, 50)
        frame = wire.encode(frames.call(1, chunks=[b"endpoint", b"", BODY]))
        for sender in senders:  # all but the end of a frame each, which the router reads
            sender.send(frame[:-10])
        await eventually(lambda: kept(router) == 50 * (len(frame) - 10))
        service.stop_reading(router)

        for sender in senders:
            sender.send(frame[-10:], *[frame] * 10)
        await eventually(lambda: held(router, *senders))
        assert max(most_waiting.values()) <= 1024 * KIB

        service.read_on()
        for _ in range(50 * 11):
            await service.next_frame()
        assert max(most_waiting.values()) <= 1024 * KIB


async def test_the_smallest_limit_holds_too(
    connect, serve_raw, frames, eventually, most_waiting, clock
):
    async with Router(max_buffered=128 * KIB, clock=clock) as router:
        service, senders = await serve_raw(router), await connect(router, 20)
        service.stop_reading(router)
        for sender in senders:
            sender.send(*[frames.call(id, chunks=[b"endpoint", b"", BODY]) for id in range(1, 9)])

        await eventually(lambda: held(router, *senders))
        service.read_on()
        for _ in range(20 * 8):
            await service.next_frame()

        assert max(most_waiting.values()) <= 128 * KIB


@pytest.mark.parametrize("number", [1, 20])
async def test_what_waits_for_a_connection_is_bounded_too(
    connect, open_raw, listening, frames, eventually, most_waiting, number, clock
):
    async with Router(clock=clock) as router:
        service = await open_raw(router.hostport)
        await service.shake_hands(listening.hostport)
        await service.advertise("service")
        back = await listening.accepted.get()
        service.close()
        await eventually(lambda: len(router.connections) == 1)
        senders = await connect(router, number)

        for sender in senders:
            sender.send(*[frames.call(id, chunks=[b"endpoint", b"", BODY]) for id in range(1, 101)])
        await eventually(lambda: held(router, *senders))
        queue = router.directory.find(listening.hostport).queue
        assert router.limits.queue_at < queue.bytes <= 256 * KIB
        assert kept(router) <= 256 * KIB + number * (FRAME + FIRST_READ)

        await back.accept_handshake(listening.hostport)
        for _ in range(100 * number):
            assert len((await back.next()).chunks[2]) == 60_000
        assert queue.bytes == 0
        assert max(most_waiting.values()) <= 1024 * KIB


async def test_a_peer_that_does_not_read_the_routers_own_answers_is_read_no_more(
    connect, frames, eventually, clock
):
    async with Router(max_buffered=128 * KIB, clock=clock) as router:
        (peer,) = await connect(router, 1)
        connection = peer.connection_in(router)
        peer.stop_reading(router)

        sent = 0
        while connection.transport.is_reading():
            peer.send(*[frames.call(sent + id, "n" * 250) for id in range(1, 101)])
            sent += 100
            await asyncio.sleep(0)
        assert connection.waiting <= 128 * KIB

        peer.read_on()
        for _ in range(sent):
            assert (await peer.next()).code == wire.ErrorCode.DECLINED


@pytest.mark.extra
async def test_a_peer_that_discovers_without_reading_is_read_no_more(
    connect, serve_raw, frames, eventually, clock
):
    pytest.importorskip("tchannel_thrift")
    async with Router(max_buffered=128 * KIB, clock=clock) as router:
        for number in range(1, 201):
            instance = router.directory.instance(
                f"10.0.{number >> 8}.{number & 255}:1", ephemeral=False
            )
            router.directory.advertise("many", instance)
        (peer,) = await connect(router, 1)
        connection = peer.connection_in(router)
        peer.stop_reading(router)
        body = bytes.fromhex("0c0001 0b0001 00000004") + b"many" + b"\0\0"
        question = frames.call(
            1,
            "hyperbahn",
            headers={"cn": "c", "as": "thrift"},
            chunks=[b"Hyperbahn::discover", b"\0\0", body],
        )

        peer.send(*[question] * 500)

        await eventually(lambda: not connection.transport.is_reading())
        assert connection.waiting <= 128 * KIB
        peer.read_on()
        code = {(await peer.next_frame())[17] for _ in range(500)}
        assert code == {0}


async def test_errors_alone_cannot_pile_up_without_end(
    connect, serve_raw, frames, clock, eventually
):
    async with Router(max_buffered=128 * KIB, clock=clock) as router:
        await serve_raw(router)
        (caller,) = await connect(router, 1)
        connection = caller.connection_in(router)
        for _ in range(100):
            caller.send(*[frames.call(id, ttl_ms=1000) for id in range(1, 101)])
            await caller.answered()
        caller.stop_reading(router)

        clock.advance(2)  # 10,000 calls time out at once, and their caller reads none of it

        await eventually(lambda: connection not in router.connections)


# -- whom it holds up, and how long ---------------------------------------------------------------


async def test_only_those_wait_whose_frames_are_for_the_one_that_does_not_read(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        stuck, living = await serve_raw(router, "stuck"), await serve_raw(router, "living")
        sender, other = await connect(router, 2)
        stuck.stop_reading(router)
        sender.send(*[frames.call(id, "stuck", chunks=[b"e", b"", BODY]) for id in range(1, 101)])
        await eventually(lambda: held(router, sender))

        for id in range(1, 101):
            other.send(frames.call(id, "living", chunks=[b"e", b"", BODY]))
            request = await living.next()
            living.send(answer(request.id))
            assert (await other.next()).id == id


async def test_another_instance_takes_the_calls_of_one_that_does_not_read(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        stuck = await serve_raw(router)
        (caller,) = await connect(router, 1)
        stuck.stop_reading(router)
        caller.send(*[frames.call(id, chunks=[b"e", b"", BODY]) for id in range(1, 101)])
        await eventually(lambda: held(router, caller))

        living = await serve_raw(router)
        (other,) = await connect(router, 1)
        other.send(*[frames.call(id, chunks=[b"e", b"", b"x"]) for id in range(1, 11)])

        small = 0
        while (
            small < 10
        ):  # among them what the first caller goes on with, as the stuck one is taken from
            small += (await living.next()).chunks[2] == b"x"


async def test_senders_go_on_when_most_has_been_read_and_not_before(
    connect, serve_raw, frames, eventually, monkeypatch, clock
):
    went_on = []
    resume = FrameWriter.resume_writing

    def watched(self):
        went_on.append((self.transport.get_write_buffer_size(), held(router, sender)))
        resume(self)

    monkeypatch.setattr(FrameWriter, "resume_writing", watched)
    async with Router(clock=clock) as router:
        service, (sender,) = await serve_raw(router), await connect(router, 1)
        service.stop_reading(router)
        sender.send(*[frames.call(id, chunks=[b"e", b"", BODY]) for id in range(1, 101)])
        await eventually(lambda: held(router, sender))

        service.read_on()
        for _ in range(100):
            assert went_on or held(router, sender)
            await service.next()

        assert went_on[0][1]
        assert max(waiting for waiting, _ in went_on) <= router.limits.low


async def test_the_time_that_a_call_was_held_back_is_taken_from_its_ttl(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        service, (sender,) = await serve_raw(router), await connect(router, 1)
        service.stop_reading(router)
        for id in range(1, 41):
            sender.send(frames.call(id, ttl_ms=60_000, chunks=[b"e", b"", BODY]))
        await eventually(lambda: held(router, sender))
        connection = sender.connection_in(router)
        passed_on = len(connection.incoming)
        assert passed_on < 40

        clock.advance(5)
        service.read_on()
        ttls = [(await service.next()).ttl_ms for _ in range(40)]

        assert ttls[:passed_on] == [60_000] * passed_on
        assert ttls[passed_on] == 55_000
        assert ttls[-1] == 60_000  # it was not the router that kept it


async def test_a_call_whose_time_is_over_when_there_is_room_is_not_passed_on(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        service, (sender,) = await serve_raw(router), await connect(router, 1)
        service.stop_reading(router)
        sender.send(*[frames.call(id, ttl_ms=500, chunks=[b"e", b"", BODY]) for id in range(1, 31)])
        await eventually(lambda: held(router, sender))
        passed_on = len(sender.connection_in(router).incoming)

        clock.advance(1)
        async with being_read(service):
            answers = [await sender.next() for _ in range(passed_on + 1)]

        assert {error.code for error in answers} == {wire.ErrorCode.TIMEOUT}
        assert answers[-1].id == passed_on + 1
        assert "could not be sent the call within 500 ms" in answers[-1].description


# -- nobody waits for ever ------------------------------------------------------------------------


@pytest.fixture
def both_hold_each_other_up(serve_raw, frames, eventually):
    """A function that gives two services which call each other a hundred times and do not read."""

    async def hold_up(router):
        ends = [await serve_raw(router, name) for name in ("one", "two")]
        for end, other in zip(ends, ("two", "one"), strict=True):
            end.stop_reading(router)
            end.send(*[frames.call(id, other, chunks=[b"e", b"", BODY]) for id in range(1, 101)])
        await eventually(lambda: held(router, *ends))
        return ends

    return hold_up


async def test_two_services_that_call_each_other_and_do_not_read_go_on_when_they_do(
    both_hold_each_other_up, most_waiting, clock
):
    async with Router(clock=clock) as router:
        ends = await both_hold_each_other_up(router)

        for end in ends:
            end.read_on()
        got = await asyncio.gather(*[collect(end, 100) for end in ends])

        assert [[frame[2] for frame in one] for one in got] == [
            [wire.FrameType.CALL_REQUEST] * 100
        ] * 2
        assert max(most_waiting.values()) <= 1024 * KIB


async def collect(peer, number):
    return [await peer.next_frame() for _ in range(number)]


async def test_of_two_that_read_nothing_until_they_have_written_one_is_closed(
    both_hold_each_other_up, eventually, clock, caplog
):
    async with Router(clock=clock) as router:
        ends = await both_hold_each_other_up(router)

        await stall(clock, lambda: len(router.connections) == 1)
        (left,) = router.connections
        # Whoever is left gets its calls read to the end: there is nobody any more to send them to.
        (living,) = [
            end
            for end in ends
            if end.writer.get_extra_info("sockname") == left.transport.get_extra_info("peername")
        ]
        await eventually(lambda: not living.unsent)
        assert "has not read for 10 s, and others wait: closed" in caplog.text


async def test_who_reads_slowly_is_not_closed(connect, serve_raw, frames, eventually, clock):
    async with Router(clock=clock) as router:
        service, (sender,) = await serve_raw(router), await connect(router, 1)
        service.stop_reading(router)
        sender.send(
            *[frames.call(id, ttl_ms=120_000, chunks=[b"e", b"", BODY]) for id in range(1, 101)]
        )
        await eventually(lambda: held(router, sender))
        connection = service.connection_in(router)

        for _ in range(5):
            waiting = connection.waiting
            service.read_on()
            while connection.waiting == waiting:
                await service.next_frame()
            service.stop_reading(router)
            clock.advance(STALLED_AFTER - 1)
            assert connection in router.connections


async def test_a_service_that_stops_for_good_holds_its_callers_for_ten_seconds(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        stuck, living = await serve_raw(router, "stuck"), await serve_raw(router, "living")
        (sender,) = await connect(router, 1)
        stuck.stop_reading(router)
        sender.send(*[frames.call(id, "stuck", chunks=[b"e", b"", BODY]) for id in range(1, 101)])
        sender.send(frames.call(200, "living"))
        await eventually(lambda: held(router, sender))

        connection = stuck.connection_in(router)
        await stall(clock, lambda: connection not in router.connections)

        assert (await living.next()).service == "living"
        codes = {(await sender.next()).code for _ in range(100)}
        assert codes <= {wire.ErrorCode.NETWORK, wire.ErrorCode.DECLINED}


async def test_a_service_that_dies_lets_its_callers_go_on(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        service, senders = await serve_raw(router), await connect(router, 20)
        service.stop_reading(router)
        for sender in senders:
            sender.send(*[frames.call(id, chunks=[b"e", b"", BODY]) for id in range(1, 51)])
        await eventually(lambda: held(router, *senders))

        service.writer.transport.abort()

        for sender in senders:
            codes = {(await sender.next()).code for _ in range(50)}
            assert codes <= {wire.ErrorCode.NETWORK, wire.ErrorCode.DECLINED}
        assert kept(router) == 0


async def test_a_sender_that_dies_while_it_is_held_leaves_nothing(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        service, (dying, living) = await serve_raw(router), await connect(router, 2)
        service.stop_reading(router)
        for sender in (dying, living):
            sender.send(*[frames.call(id, chunks=[b"e", b"", BODY]) for id in range(1, 51)])
        await eventually(lambda: held(router, dying, living))
        connection = dying.connection_in(router)
        passed_on = len(connection.incoming)

        connection.abort()  # as when a write to it finds it dead: nothing is read from it now
        await eventually(lambda: connection not in router.connections)
        assert (connection.kept, list(connection.incoming)) == (0, [])

        service.read_on()
        got, cancels = 0, 0
        while got < passed_on + 50 or cancels < passed_on:
            message = await service.next()
            cancels += isinstance(message, wire.Cancel)
            got += isinstance(message, wire.CallRequest)
        await eventually(lambda: not held(router, living))
        assert not service.connection_in(router).full


async def test_a_cancel_and_an_error_behind_a_held_frame_arrive_after_it_in_order(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        stuck, other = await serve_raw(router, "stuck"), await serve_raw(router, "other")
        middle = await serve_raw(router, "middle")
        (caller,) = await connect(router, 1)
        caller.send(frames.call(7, "middle"))
        asked = await middle.next()
        middle.send(frames.call(1, "other"))
        request = await other.next()
        stuck.stop_reading(router)
        middle.send(*[frames.call(id, "stuck", chunks=[b"e", b"", BODY]) for id in range(2, 102)])
        middle.send(wire.Cancel(id=1, why="enough"))
        middle.send(wire.ErrorMessage(id=asked.id, code=3, description="busy"))
        await eventually(lambda: held(router, middle))

        stuck.read_on()
        await collect(stuck, 100)

        assert (await other.next()) == wire.Cancel(id=request.id, why="enough")
        error = await caller.next()
        assert (error.id, error.description) == (7, "busy")


async def test_fragments_of_a_call_keep_their_order_when_they_are_held_back(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        service, (sender,) = await serve_raw(router), await connect(router, 1)
        service.stop_reading(router)
        sender.send(frames.call(1, flags=1, chunks=[b"e", b"", b""]))
        for number in range(100):
            body = number.to_bytes(2, "big") + BODY
            sender.send(wire.CallRequestContinue(id=1, flags=number < 99, chunks=[body]))
        await eventually(lambda: held(router, sender))

        service.read_on()
        await service.next()

        numbers = [int.from_bytes((await service.next()).chunks[0][:2], "big") for _ in range(100)]
        assert numbers == list(range(100))


async def test_a_connection_that_is_closed_for_a_bad_frame_goes_although_it_does_not_read(
    connect, serve_raw, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        service, (sender,) = await serve_raw(router), await connect(router, 1)
        service.stop_reading(router)
        sender.send(*[frames.call(id, chunks=[b"e", b"", BODY]) for id in range(1, 101)])
        await eventually(lambda: held(router, sender))

        connection = service.connection_in(router)
        service.send(b"\0\0nonsense")
        await eventually(lambda: connection.closed)
        assert connection in router.connections

        await stall(clock, lambda: len(router.connections) == 1)

        assert {(await sender.next()).code for _ in range(100)} <= {
            wire.ErrorCode.NETWORK, wire.ErrorCode.DECLINED,
        }  # fmt: skip


async def test_advertising_on_a_connection_that_does_not_read_keeps_the_calls_that_wait(
    connect, open_raw, serve_raw, listening, frames, eventually, clock
):
    async with Router(clock=clock) as router:
        first = await open_raw(router.hostport)
        await first.shake_hands(listening.hostport)
        answered = await first.advertise("service")
        assert json.loads(answered.chunks[2]) == {"connectionCount": 1}
        await listening.accepted.get()  # and it never answers the handshake
        first.close()
        await eventually(lambda: len(router.connections) == 1)
        (caller,) = await connect(router, 1)
        caller.send(frames.call(1))
        queue = router.directory.find(listening.hostport).queue
        await eventually(lambda: queue.exchanges)

        echo = await serve_raw(router, "echo")
        second = await open_raw(router.hostport)
        await second.shake_hands(listening.hostport)
        second.send(*[frames.call(id, "echo") for id in range(1, 101)])
        ids = [(await echo.next()).id for _ in range(100)]
        connection = second.connection_in(router)
        second.stop_reading(router)
        echo.send(*[answer(id) for id in ids])
        await eventually(lambda: connection.full)
        second.send(frames.json_call(500, "ad", {"services": [{"serviceName": "service"}]}))
        await eventually(lambda: held(router, second))

        second.read_on()
        types = [(await second.next_frame())[2] for _ in range(102)]
        assert types.count(wire.FrameType.CALL_REQUEST) == 1
