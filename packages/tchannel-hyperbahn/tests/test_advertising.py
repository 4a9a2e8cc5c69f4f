from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
import subprocess
import sys
import weakref

import pytest
from tornado.ioloop import IOLoop

from tchannel import TChannel, errors
from tchannel import sync as sync_package
from tchannel.lowlevel import inside
from tchannel_hyperbahn import Router

DEAD = "127.0.0.1:1"


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


# -- what it does ---------------------------------------------------------------------------------


async def test_advertising_listens_and_announces_where(make_channel, hyperbahn):
    channel = make_channel("my-service")

    response = await channel.advertise(routers=[hyperbahn.hostport])

    assert response.body == {"connectionCount": 1}
    assert channel.is_listening()
    assert hyperbahn.ads == [(["my-service"], channel.hostport)]


async def test_a_channel_that_listens_already_keeps_its_address(make_channel, hyperbahn):
    channel = make_channel()
    channel.listen()
    address = channel.hostport

    await channel.advertise([hyperbahn.hostport])

    assert hyperbahn.ads[0][1] == address


async def test_a_connection_made_before_listening_is_not_used_to_advertise(make_channel, hyperbahn):
    channel = make_channel()
    await channel.json("hyperbahn", "ad", {"services": []}, hostport=hyperbahn.hostport)
    assert hyperbahn.ads[-1][1] != channel.hostport

    await channel.advertise(routers=[hyperbahn.hostport])

    assert hyperbahn.ads[-1] == (["service"], channel.hostport)


async def test_a_connection_that_is_being_made_while_it_begins_to_listen_is_not_used_either(
    make_channel, hyperbahn, eventually
):
    channel = make_channel()
    early = channel.json("hyperbahn", "ad", {"services": []}, hostport=hyperbahn.hostport)
    await eventually(lambda: inside(channel).connections)

    await channel.advertise(routers=[hyperbahn.hostport])
    await early

    assert hyperbahn.ads[-1] == (["service"], channel.hostport)


async def test_another_name_may_be_advertised(make_channel, hyperbahn):
    await make_channel("own").advertise(routers=[hyperbahn.hostport], name="other")

    assert hyperbahn.ads[0][0] == ["other"]


async def test_one_channel_advertises_several_names(make_channel, hyperbahn):
    channel = make_channel("one")

    first = channel.advertise(routers=[hyperbahn.hostport])
    second = channel.advertise(name="two")
    await asyncio.gather(first, second)

    assert first is not second
    assert sorted(names for names, _ in hyperbahn.ads) == [["one"], ["two"]]


async def test_called_again_it_is_the_same_future(make_channel, hyperbahn):
    channel = make_channel()

    first = channel.advertise(routers=[hyperbahn.hostport])
    assert channel.advertise(routers=[hyperbahn.hostport]) is first
    await first

    assert channel.advertise() is first
    assert len(hyperbahn.ads) == 1


async def test_called_again_after_a_failure_it_is_a_new_attempt(
    make_channel, hyperbahn, clock, time_passes
):
    channel = make_channel(clock=clock)
    hyperbahn.refuse(errors.UnexpectedError("not today"))
    failed = channel.advertise(routers=[hyperbahn.hostport], timeout=0.5)
    await time_passes(failed.done, channel)
    assert isinstance(failed.exception(), TimeoutError)

    hyperbahn.answer = lambda: {"connectionCount": 1}
    again = channel.advertise(routers=[hyperbahn.hostport])

    assert again is not failed
    assert (await again).body == {"connectionCount": 1}


async def test_it_is_repeated_by_the_channels_clock(make_channel, hyperbahn, clock, time_passes):
    channel = make_channel(clock=clock)
    await channel.advertise(routers=[hyperbahn.hostport], period=60, jitter=0)

    for number in (2, 3):
        before = clock.time()
        await time_passes(lambda n=number: len(hyperbahn.ads) == n, channel, step=1)
        assert 59 <= clock.time() - before <= 61


async def test_all_routers_are_called_through(make_channel, make_hyperbahn):
    routers = [make_hyperbahn().hostport for _ in range(3)]
    channel = make_channel()

    await channel.advertise(routers=routers)

    assert sorted(channel.peers.hosts) == sorted(routers)


async def test_five_router_connections_are_the_default_and_configurable(make_channel, hyperbahn):
    channel = make_channel()
    channel.advertise(routers=[hyperbahn.hostport])
    assert channel.peers.max_connections == 5

    await channel.advertise(routers=[hyperbahn.hostport], router_connections=2)

    assert channel.peers.max_connections == 2


async def test_calls_spread_over_no_more_routers_than_that(
    make_channel, make_hyperbahn, eventually
):
    fakes = [make_hyperbahn() for _ in range(4)]
    for fake in fakes:
        fake.channel.raw.register("echo", lambda request: request.body)
    channel = make_channel()
    await channel.advertise(routers=[fake.hostport for fake in fakes], router_connections=2)

    for _ in range(40):
        await channel.raw("whatever", "echo", b"x")

    def opened():
        return [connection for connection in inside(channel).connections if connection.opener]

    await eventually(lambda: len(opened()) == 2)
    for _ in range(40):
        await channel.raw("whatever", "echo", b"x")
    assert len(opened()) == 2


async def test_a_dead_router_is_passed_over(make_channel, hyperbahn, ask_first):
    ask_first(DEAD)

    response = await make_channel().advertise(routers=[hyperbahn.hostport, DEAD])

    assert response.body == {"connectionCount": 1}


async def test_a_router_file_is_a_list_of_routers(make_channel, hyperbahn, tmp_path):
    path = tmp_path / "routers.json"
    path.write_text(json.dumps([hyperbahn.hostport]))

    await make_channel("by-file").advertise(router_file=path)

    assert hyperbahn.ads[0][0] == ["by-file"]


async def test_the_known_peers_are_the_routers_when_none_are_given(make_channel, hyperbahn):
    channel = make_channel(known_peers=[hyperbahn.hostport])

    await channel.advertise()

    assert len(hyperbahn.ads) == 1


# -- calls right after it -------------------------------------------------------------------------


async def test_a_call_right_after_an_unawaited_advertise_goes_through(serve, router, make_channel):
    await serve("keyvalue")
    client = make_channel("client")

    client.advertise(routers=[router.hostport])
    response = await client.raw("keyvalue", "echo", b"body")

    assert response.body == b"body"


async def test_such_a_call_waits_for_a_router_that_starts_later(
    make_channel, make_hyperbahn, clock, eventually, time_passes
):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = make_channel("client", clock=clock)
    client.advertise(routers=[f"127.0.0.1:{port}"])
    call = client.raw("whatever", "echo", b"body", timeout=60)
    for _ in range(100):
        await clock.elapse(0.1)
    assert not call.done()

    late = make_channel("hyperbahn", hostport=f"127.0.0.1:{port}")
    late.json.register("ad", lambda request: {"connectionCount": 1})
    late.raw.register("echo", lambda request: request.body)
    late.listen()
    await time_passes(call.done, client)

    assert (await call).body == b"body"


async def test_such_a_call_fails_when_its_own_timeout_is_over(make_channel, clock, time_passes):
    client = make_channel("client", clock=clock)
    client.advertise(routers=[DEAD], timeout=30)
    call = client.raw("whatever", "echo", timeout=3)
    began = clock.time()

    await time_passes(call.done)

    assert 2.9 <= clock.time() - began <= 3.2
    with pytest.raises(errors.NoAvailablePeerError, match="cannot connect"):
        await call


async def test_a_failure_that_nobody_awaited_is_logged_once(
    make_channel, clock, caplog, time_passes
):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    channel = make_channel(clock=clock)

    future = channel.advertise(routers=[DEAD], timeout=1)
    await time_passes(future.done)
    del future
    gc.collect()

    assert len(warnings_of(caplog)) == 1
    assert "could not be advertised within 1 s" in warnings_of(caplog)[0]
    assert complaints == []


# -- routers that misbehave -----------------------------------------------------------------------


@pytest.mark.parametrize("nonsense", ["hello", 5, True, [1]])
async def test_an_answer_that_makes_no_sense_is_a_failure(
    make_channel, hyperbahn, clock, nonsense, time_passes
):
    hyperbahn.answer = lambda: nonsense
    channel = make_channel(clock=clock)
    future = channel.advertise(routers=[hyperbahn.hostport], timeout=1)

    await time_passes(future.done, channel)

    with pytest.raises(TimeoutError, match="answered nonsense"):
        await future


async def test_what_is_no_router_at_all_is_a_failure_like_any_other(
    make_channel, clock, caplog, time_passes
):
    async def greet(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = make_channel(clock=clock)
    future = channel.advertise(routers=[f"127.0.0.1:{port}"], timeout=1)
    await time_passes(future.done)
    await time_passes(lambda: not inside(channel).connections, step=1)  # the handshake is given up
    server.close()

    with pytest.raises(TimeoutError, match="within 1 s"):
        await future


async def test_a_router_that_never_answers_does_not_hold_up_the_others(
    make_channel, make_hyperbahn, clock, time_passes, ask_first
):
    silent, living = make_hyperbahn(), make_hyperbahn()
    silent.hang()
    ask_first(silent.hostport)
    channel = make_channel(clock=clock)
    future = channel.advertise(routers=[living.hostport, silent.hostport])
    await silent.advertised.wait()

    clock.advance(2)  # what one router may take
    await time_passes(future.done, channel)

    assert len(silent.ads) == len(living.ads) == 1
    assert clock.time() < 1000 + 3


async def test_the_channel_goes_on_working_when_advertising_has_failed(
    make_channel, hyperbahn, clock, time_passes
):
    hyperbahn.refuse(errors.UnexpectedError("no"))
    hyperbahn.channel.raw.register("echo", lambda request: request.body)
    channel = make_channel(clock=clock)
    future = channel.advertise(routers=[hyperbahn.hostport], timeout=1)
    await time_passes(future.done, channel)

    assert (await channel.raw("whatever", "echo", b"x")).body == b"x"


async def test_a_router_file_that_vanishes_is_logged_once_and_changes_nothing(
    make_channel, hyperbahn, clock, tmp_path, caplog, time_passes
):
    path = tmp_path / "routers.json"
    path.write_text(json.dumps([hyperbahn.hostport]))
    channel = make_channel(clock=clock)
    await channel.advertise(router_file=path, period=60, jitter=0)

    path.unlink()
    await time_passes(lambda: len(hyperbahn.ads) == 3, channel, step=1)

    assert len(warnings_of(caplog)) == 1
    assert "routers.json" in warnings_of(caplog)[0]


# -- mistakes of the caller -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"router": ["a:1"]}, TypeError, "write routers="),
        ({"rooters": ["a:1"]}, TypeError, "'rooters'"),
        ({}, ValueError, "no router is known: give routers="),
        ({"routers": []}, ValueError, "routers must not be empty"),
        ({"routers": "127.0.0.1:1"}, TypeError, "routers must be a list"),
        ({"routers": [5]}, TypeError, "holds 5"),
        ({"routers": ["nowhere"]}, ValueError, "'nowhere' has no port"),
        ({"routers": ["127.0.0.1:0"]}, ValueError, "port 0"),
        ({"routers": [DEAD], "router_file": "f"}, ValueError, "not both"),
        ({"router_file": 5}, TypeError, "router_file must be a path, not 5"),
        ({"router_file": "/no/such/file"}, FileNotFoundError, "/no/such/file"),
        ({"routers": [DEAD], "name": ""}, ValueError, "name must not be empty"),
        ({"routers": [DEAD], "name": 5}, TypeError, "name must be a str, not 5"),
        ({"routers": [DEAD], "name": "ä" * 128}, ValueError, "at most 255 bytes, not 256"),
        ({"routers": [DEAD], "timeout": -1}, ValueError, "timeout must not be negative"),
        ({"routers": [DEAD], "timeout": True}, TypeError, "timeout must be seconds"),
        ({"routers": [DEAD], "jitter": -1}, ValueError, "jitter must be between 0 and"),
        ({"routers": [DEAD], "jitter": 61}, ValueError, "jitter must be between 0 and"),
        ({"routers": [DEAD], "jitter": "x"}, TypeError, "jitter must be a number"),
        ({"routers": [DEAD], "period": 0}, ValueError, "period must be above 0"),
        ({"routers": [DEAD], "period": float("nan")}, TypeError, "period must be a number"),
        ({"routers": [DEAD], "router_connections": 0}, ValueError, "at least 1, not 0"),
        ({"routers": [DEAD], "router_connections": 1.5}, TypeError, "must be an int, not 1.5"),
    ],
)
async def test_a_mistake_is_refused_at_once(make_channel, arguments, error, complaint):
    channel = make_channel()

    with pytest.raises(error, match=complaint):
        channel.advertise(**arguments)

    assert not channel.is_listening()


async def test_an_address_that_nobody_reaches_is_refused(make_channel, hyperbahn):
    channel = make_channel(hostport="[::1]:0")

    with pytest.raises(ValueError, match="cannot be advertised"):
        channel.advertise(routers=[hyperbahn.hostport])

    assert hyperbahn.ads == []


async def test_a_closed_channel_advertises_nothing(make_channel, hyperbahn):
    channel = make_channel()
    await channel.close()

    with pytest.raises(RuntimeError, match="is closed"):
        channel.advertise(routers=[hyperbahn.hostport])


# -- taking it back -------------------------------------------------------------------------------


async def test_unadvertising_tells_the_router_and_ends_the_repeating(
    make_channel, hyperbahn, clock
):
    channel = make_channel("name", clock=clock)
    await channel.advertise(routers=[hyperbahn.hostport])

    response = await channel.unadvertise()
    await clock.elapse(300)

    assert response.body == {"connectionCount": 1}
    assert hyperbahn.unads == [["name"]]
    assert len(hyperbahn.ads) == 1


async def test_one_of_several_names_may_be_taken_back(make_channel, hyperbahn):
    channel = make_channel("one")
    await channel.advertise(routers=[hyperbahn.hostport])
    await channel.advertise(name="two")

    await channel.unadvertise("one")
    assert hyperbahn.unads == [["one"]]

    await channel.unadvertise()
    assert hyperbahn.unads == [["one"], ["two"]]


async def test_what_was_taken_back_may_be_advertised_again(make_channel, hyperbahn):
    channel = make_channel()
    first = channel.advertise(routers=[hyperbahn.hostport])
    await first
    await channel.unadvertise()

    again = channel.advertise()
    await again

    assert again is not first
    assert len(hyperbahn.ads) == 2


async def test_a_name_that_is_not_advertised_cannot_be_taken_back(make_channel, hyperbahn):
    channel = make_channel()
    with pytest.raises(ValueError, match="'service' is not advertised"):
        channel.unadvertise("service")
    await channel.advertise(routers=[hyperbahn.hostport])

    with pytest.raises(ValueError, match="'other' is not advertised"):
        channel.unadvertise("other")


async def test_unadvertising_nothing_is_nothing(make_channel):
    assert await make_channel().unadvertise() is None


async def test_when_no_router_can_be_told_the_future_says_so(make_channel, make_hyperbahn):
    hyperbahn = make_hyperbahn()
    channel = make_channel()
    await channel.advertise(routers=[hyperbahn.hostport])
    await hyperbahn.channel.close()

    with pytest.raises(errors.NetworkError):
        await channel.unadvertise()


async def test_closing_unadvertises_and_leaves_nothing_running(make_channel, hyperbahn):
    before = asyncio.all_tasks()
    channel = make_channel("name")
    await channel.advertise(routers=[hyperbahn.hostport])

    await channel.close()

    assert hyperbahn.unads == [["name"]]
    left = asyncio.all_tasks() - before
    assert [task for task in left if "advertis" in repr(task)] == []
    assert not inside(channel).connections


async def test_closing_with_the_routers_gone_is_quick(make_channel, make_hyperbahn):
    hyperbahn = make_hyperbahn()
    channel = make_channel()
    await channel.advertise(routers=[hyperbahn.hostport])
    await hyperbahn.channel.close()

    async with asyncio.timeout(2):
        await channel.close()


async def test_closing_while_the_first_is_still_tried_ends_it(make_channel):
    channel = make_channel()
    future = channel.advertise(routers=[DEAD])

    await channel.close()

    assert isinstance(future.exception(), errors.CanceledError)


@pytest.mark.parametrize("turns", range(12))
async def test_closing_without_grace_ends_advertising_in_whatever_turn_it_comes(
    make_channel, hyperbahn, turns
):
    before = asyncio.all_tasks()
    channel = make_channel()
    future = channel.advertise(routers=[hyperbahn.hostport])
    for _ in range(turns):
        await asyncio.sleep(0)

    await channel.close(grace=0)

    assert future.done()
    left = asyncio.all_tasks() - before
    assert [task for task in left if "dvertis" in repr(task)] == []


async def test_closing_takes_back_what_may_have_been_accepted(make_channel, hyperbahn):
    hyperbahn.hang()
    channel = make_channel("name")
    channel.advertise(routers=[hyperbahn.hostport])
    await hyperbahn.advertised.wait()

    await channel.close()

    assert hyperbahn.unads == [["name"]]


async def test_closing_waits_for_the_calls_in_flight(serve, router, make_channel, eventually):
    service = make_channel("slow")
    answer = asyncio.get_running_loop().create_future()
    entered = asyncio.Event()

    @service.raw.register("wait")
    async def wait(request):
        entered.set()
        return await answer

    await service.advertise(routers=[router.hostport])
    client = make_channel("client")
    client.advertise(routers=[router.hostport])
    call = client.raw("slow", "wait")
    await entered.wait()

    closing = service.close(grace=5)
    await eventually(lambda: "slow" not in router.services)
    answer.set_result(b"done")

    assert (await call).body == b"done"
    await closing


async def test_an_advertised_channel_that_is_dropped_keeps_nothing_alive(hyperbahn):
    channel = TChannel("dropped", hostport="127.0.0.1:0")
    await channel.advertise(routers=[hyperbahn.hostport])
    await channel.close()
    gone = weakref.ref(channel)

    del channel
    await asyncio.sleep(0)
    gc.collect()

    assert gone() is None


# -- loops ----------------------------------------------------------------------------------------


def test_it_may_be_called_before_the_loop_runs():
    command = [sys.executable, "-m", "tchannel_hyperbahn", "router", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            router = process.stdout.readline().decode().removeprefix("listening on ").strip()
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            channel = TChannel("tornado-style", hostport="127.0.0.1:0")
            channel.raw.register("echo", lambda request: request.body)
            advertised = channel.advertise(routers=[router])

            async def use():
                await advertised
                response = await channel.raw("tornado-style", "echo", b"x")
                await channel.close()
                return response.body

            assert IOLoop.current().run_sync(use) == b"x"
            loop.close()
        finally:
            asyncio.set_event_loop(None)
            process.kill()


def test_a_channel_that_goes_on_in_another_loop_may_advertise_again():
    channel = TChannel("twice", hostport="127.0.0.1:0")

    async def use():
        async with Router() as router:
            await channel.advertise(routers=[router.hostport])
            return list(router.services)

    async def use_and_close():
        services = await use()
        await channel.close()
        return services

    assert asyncio.run(use()) == ["twice"]
    assert asyncio.run(use_and_close()) == ["twice"]


# -- from threads ---------------------------------------------------------------------------------


async def test_the_sync_channel_advertises_and_calls_by_name(serve, router):
    await serve("keyvalue")

    def use():
        with sync_package.TChannel("sync-client", hostport="127.0.0.1:0") as channel:
            future = channel.advertise(routers=[router.hostport])
            body = channel.raw("keyvalue", "echo", b"from a thread").result(10).body
            answer = future.result(10).body
            taken_back = channel.unadvertise().result(10).body
            channel.advertise()
            return body, answer, taken_back

    body, answer, taken_back = await asyncio.to_thread(use)

    assert body == b"from a thread"
    assert answer == taken_back == {"connectionCount": 1}
    assert "sync-client" not in router.services


async def test_a_mistake_of_a_thread_is_in_its_future():
    def use():
        with sync_package.TChannel("sync-client") as channel:
            return channel.advertise(router=["a:1"]).exception(10)

    assert "write routers=" in str(await asyncio.to_thread(use))


async def test_of_two_routers_the_one_that_is_not_in_the_list_serves_and_is_never_called(
    make_channel,
):
    """A second router calls the service over a connection of its own, and claims to be the first."""
    channel = make_channel("service")
    channel.raw.register("name", lambda request: "service")

    class Claimant(TChannel):
        claim = ""

        def advertised_hostport(self, *, opener):
            return self.claim if opener else super().advertised_hostport(opener=opener)

    async with TChannel("first", hostport="127.0.0.1:0") as first, Claimant("second") as second:
        for router in (first, second):
            router.json.register("ad", lambda request: {"connectionCount": 1})
            router.raw.register("who", lambda request, router=router: router.name)
        first.listen()
        await channel.advertise(routers=[first.hostport])
        second.claim = first.hostport

        answer = await second.raw("service", "name", hostport=channel.hostport)
        assert answer.body == b"service"
        for _ in range(10):
            assert (await channel.raw("hyperbahn", "who")).body == b"first"
        # And the first one calls over the connection by which the service advertised itself.
        (connection,) = inside(first).connections
        answer = await first.raw("service", "name", hostport=connection.address)
        assert answer.body == b"service"
        await channel.close()
