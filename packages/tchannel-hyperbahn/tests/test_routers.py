from __future__ import annotations

import json

import pytest

from tchannel_hyperbahn.host_list import HostListFile
from tchannel_hyperbahn.routers import Routers


@pytest.fixture
def channel(make_channel):
    return make_channel()


@pytest.fixture
def group(channel):
    return channel.peers


async def test_routers_become_known_to_the_group(channel, group):
    Routers(channel).add(["127.0.0.1:1", "127.0.0.1:2"])

    assert sorted(group.hosts) == ["127.0.0.1:1", "127.0.0.1:2"]


async def test_the_first_of_a_list_is_not_everybodys_first(channel, group):
    hosts = [f"127.0.0.1:{port}" for port in range(1, 11)]

    def first():
        routers = Routers(channel)
        routers.add(hosts)
        return routers.order[0]

    assert len({first() for _ in range(100)}) > 3


async def test_the_order_stays_until_one_fails(channel, group):
    routers = Routers(channel)
    routers.add(["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"])
    first, second, third = routers.order
    assert routers.order == [first, second, third]

    routers.demote(first)

    assert routers.order == [second, third, first]


async def test_without_a_list_of_its_own_it_takes_what_the_group_knows(channel, group):
    routers = Routers(channel)
    assert routers.order == []

    group.update(["127.0.0.1:1"])

    assert routers.order == ["127.0.0.1:1"]


async def test_a_file_that_changes_changes_the_group(channel, group, tmp_path):
    path = tmp_path / "routers.json"
    path.write_text(json.dumps(["127.0.0.1:1", "127.0.0.1:2"]))
    routers = Routers(channel)
    routers.add(["127.0.0.1:9"])
    routers.watch(HostListFile(path))

    path.write_text(json.dumps(["127.0.0.1:2", "127.0.0.1:3"]) + " ")
    routers.refresh()

    assert sorted(group.hosts) == ["127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:9"]
    assert sorted(routers.order) == sorted(group.hosts)


@pytest.mark.parametrize("text", [None, "", "nonsense", "[]", '["nowhere"]'])
async def test_a_file_that_breaks_or_vanishes_changes_nothing_and_is_logged_once(
    channel, group, tmp_path, caplog, text
):
    path = tmp_path / "routers.json"
    path.write_text(json.dumps(["127.0.0.1:1"]))
    routers = Routers(channel)
    routers.watch(HostListFile(path))

    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    routers.refresh()
    routers.refresh()

    assert routers.order == group.hosts == ["127.0.0.1:1"]
    assert len(caplog.records) == 1
    assert "keeping the routers as they were" in caplog.text


async def test_a_mended_file_counts_again(channel, group, tmp_path):
    path = tmp_path / "routers.json"
    path.write_text(json.dumps(["127.0.0.1:1"]))
    routers = Routers(channel)
    routers.watch(HostListFile(path))
    path.unlink()
    routers.refresh()

    path.write_text(json.dumps(["127.0.0.1:2"]))
    routers.refresh()

    assert routers.order == group.hosts == ["127.0.0.1:2"]


async def test_routers_come_back_when_a_peer_source_has_dropped_them(channel, group):
    routers = Routers(channel)
    routers.add(["127.0.0.1:1"])
    group.update(["127.0.0.1:7"])

    routers.refresh()

    assert sorted(group.hosts) == ["127.0.0.1:1", "127.0.0.1:7"]
