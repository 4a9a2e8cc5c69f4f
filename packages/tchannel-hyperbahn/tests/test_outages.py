"""Routers that come and go, channels that come and go at the same time."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import warnings

import pytest

from tchannel import TChannel, errors, sync
from tchannel_hyperbahn import Router


def said(caplog, text):
    return sum(text in record.getMessage() for record in caplog.records)


async def test_many_advertisers_are_back_with_routers_that_come_and_go(
    make_channel, clock, time_passes, caplog
):
    routers = [Router(), Router()]
    for router in routers:
        router.listen()
    addresses = [router.hostport for router in routers]
    names = [f"service-{number}" for number in range(20)]
    channels = [make_channel(name, clock=clock) for name in names]
    await asyncio.gather(
        *[channel.advertise(routers=addresses, period=2, jitter=0) for channel in channels]
    )

    for _ in range(5):
        for router in routers:
            await router.close()
        await time_passes(
            lambda: said(caplog, "could not be advertised again") == len(names), step=0.05
        )
        caplog.clear()
        # One of the two stays away: all have to find the other.
        back = Router(addresses[0])
        routers = [back]
        addresses.reverse()
        back.listen()
        came_back = clock.time()
        await time_passes(lambda router=back: len(router.services) == len(names), step=0.05)
        assert clock.time() - came_back < 10
        await time_passes(lambda: said(caplog, "is advertised again") == len(names), step=0.05)
        assert said(caplog, "could not be advertised again") == 0
        caplog.clear()
    client = make_channel("client")
    client.advertise(routers=[routers[0].hostport])
    with pytest.raises(errors.BadRequestError):
        await client.raw(names[0], "none")
    for channel in channels:
        await channel.close()
    assert list(routers[0].services) == ["client"]
    await routers[0].close()


async def test_a_router_forgets_what_is_not_advertised_again_and_takes_it_back(
    make_channel, clock, time_passes, eventually
):
    async with Router(clock=clock) as router:
        kept, lost = (
            make_channel("kept", clock=clock),
            make_channel("lost"),
        )  # its clock: the loop's
        await kept.advertise(routers=[router.hostport], jitter=0)
        await lost.advertise(routers=[router.hostport])

        await time_passes(lambda: clock.time() >= 1299, kept, step=1)
        assert sorted(router.services) == ["kept", "lost"]
        await time_passes(lambda: clock.time() >= 1300, kept, step=1)
        assert list(router.services) == ["kept"]

        await lost.unadvertise()
        await lost.advertise(routers=[router.hostport])
        assert sorted(router.services) == ["kept", "lost"]


async def test_advertising_the_same_name_at_once_is_one_advertisement(make_channel, hyperbahn):
    channel = make_channel("once")

    futures = [channel.advertise(routers=[hyperbahn.hostport]) for _ in range(50)]
    await asyncio.gather(*futures)

    assert len(set(map(id, futures))) == 1
    assert len(hyperbahn.ads) == 1


async def test_taking_back_and_advertising_at_once_leaves_what_was_said_last(make_channel, router):
    channel = make_channel("name")
    await channel.advertise(routers=[router.hostport])

    for _ in range(10):
        taken_back = channel.unadvertise()
        again = channel.advertise()
        await asyncio.gather(taken_back, again)
        assert list(router.services) == ["name"]
        assert channel.advertise() is again


async def test_closing_while_something_is_taken_back_waits_for_that(make_channel, router):
    channel = make_channel("name")
    await channel.advertise(routers=[router.hostport])
    taken_back = channel.unadvertise()

    await channel.close()

    assert (await taken_back).body == {"connectionCount": 1}
    assert router.services == {}


async def test_closing_at_any_moment_of_the_first_advertisement_takes_it_back(router, eventually):
    before = asyncio.all_tasks()
    for turns in range(40):
        channel = TChannel("short-lived", hostport="127.0.0.1:0")
        future = channel.advertise(routers=[router.hostport])
        for _ in range(turns):
            await asyncio.sleep(0)

        await channel.close()

        assert future.done()
        await eventually(lambda: not router.services)
    await eventually(lambda: not router.connections)
    assert not [task for task in asyncio.all_tasks() - before if "advertis" in repr(task)]


async def test_a_router_file_that_changes_while_it_is_used_is_followed(
    make_channel, make_hyperbahn, clock, time_passes, tmp_path, caplog
):
    first, second = make_hyperbahn(), make_hyperbahn()
    path = tmp_path / "routers.json"
    path.write_text(json.dumps([first.hostport]))
    channel = make_channel(clock=clock)
    await channel.advertise(router_file=path, jitter=0)

    for text in ("", "[]", "{", json.dumps(["nowhere"]), json.dumps([5]), "\udcff"):
        path.write_text(text, errors="surrogateescape")
        before = len(first.ads)
        await time_passes(lambda n=before: len(first.ads) > n, channel, step=1)
    path.unlink()
    path.mkdir()  # what can be opened and not read
    before = len(first.ads)
    await time_passes(lambda: len(first.ads) > before, channel, step=1)
    assert said(caplog, "keeping the routers as they were") == 1

    path.rmdir()
    other = tmp_path / "other.json"
    other.write_text(json.dumps([second.hostport]))
    other.rename(path)
    await time_passes(lambda: second.ads, channel, step=1)
    assert channel.peers.hosts == [second.hostport]


# -- threads and processes ------------------------------------------------------------------------


@pytest.fixture
def router_beside():
    """A router in a thread of its own, for tests that have no loop."""
    router = Router()
    router.bind()
    ready = threading.Event()
    end = []

    async def serve():
        async with router:
            end.append((asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await end[0][1].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    yield router
    loop, event = end[0]
    loop.call_soon_threadsafe(event.set)
    thread.join()


def test_many_threads_may_advertise_at_once(router_beside):
    answers = []
    with sync.TChannel("threads", hostport="127.0.0.1:0") as channel:

        def advertise(name):
            future = channel.advertise(routers=[router_beside.hostport], name=name)
            answers.append(future.result(60).body)

        threads = [
            threading.Thread(target=advertise, args=(f"name-{number % 3}",)) for number in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(router_beside.services) == ["name-0", "name-1", "name-2"]

    assert answers == [{"connectionCount": 1}] * 30
    assert router_beside.services == {}


def test_a_sync_channel_that_is_closed_right_away_leaves_no_name(router_beside):
    for _ in range(20):
        channel = sync.TChannel("short-lived", hostport="127.0.0.1:0")
        future = channel.advertise(routers=[router_beside.hostport])

        channel.close()

        assert future.done()
        assert router_beside.services == {}


def test_a_forked_child_advertises_for_itself(router_beside):
    routers = [router_beside.hostport]
    with sync.TChannel("parent", hostport="127.0.0.1:0") as channel:
        channel.advertise(routers=routers).result(60)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, from 3.12 on
            child = os.fork()
        if child == 0:
            try:
                assert channel.advertise(routers=routers, name="child").result(60).status == 0
            except BaseException:
                os._exit(1)
            os._exit(0)

        assert os.waitpid(child, 0)[1] == 0
        assert sorted(router_beside.services) == ["child", "parent"]
        assert channel.advertise(routers=routers).result(60).body == {"connectionCount": 1}
        assert channel.unadvertise().result(60).body == {"connectionCount": 1}
        assert "parent" not in router_beside.services
