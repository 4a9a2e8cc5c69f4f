from __future__ import annotations

import json
import logging

import pytest

from tchannel_hyperbahn import FileSource


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "peers.json"
    path.write_text(json.dumps(["127.0.0.1:1"]))
    return path


@pytest.fixture
async def watching(make_channel, clock, path):
    """A channel whose peers are in `path`."""
    channel = make_channel(known_peers=FileSource(path), clock=clock)
    channel.use_loop()
    await clock.elapse(0)
    return channel


async def test_the_peers_are_those_in_the_file(watching):
    assert watching.peers.hosts == ["127.0.0.1:1"]


async def test_a_change_is_seen_within_a_second_or_so(watching, path, clock):
    path.write_text(json.dumps(["127.0.0.1:2", "127.0.0.1:3"]))

    await clock.elapse(1.2)

    assert sorted(watching.peers.hosts) == ["127.0.0.1:2", "127.0.0.1:3"]


@pytest.mark.parametrize("text", [None, "", "[]", "nonsense", '["nowhere"]'])
async def test_a_mistake_keeps_the_peers_and_is_logged_once(watching, path, clock, caplog, text):
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    await clock.elapse(60)
    assert watching.peers.hosts == ["127.0.0.1:1"]
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert str(path) in warnings[0]

    path.write_text(json.dumps(["127.0.0.1:2"]))
    await clock.elapse(1.2)

    assert watching.peers.hosts == ["127.0.0.1:2"]


async def test_a_file_that_appears_later_is_fine(make_channel, clock, tmp_path):
    path = tmp_path / "later.json"
    channel = make_channel(known_peers=FileSource(path), clock=clock)
    channel.use_loop()
    await clock.elapse(5)
    assert channel.peers.hosts == []

    path.write_text(json.dumps(["127.0.0.1:1"]))
    await clock.elapse(1.2)

    assert channel.peers.hosts == ["127.0.0.1:1"]


async def test_a_call_right_at_the_start_finds_the_peers(make_channel, tmp_path):
    server = make_channel("server")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    path = tmp_path / "peers.json"
    path.write_text(json.dumps([server.hostport]))

    client = make_channel("client", known_peers=FileSource(path))

    assert (await client.raw("server", "echo", b"x")).body == b"x"


def test_what_is_no_path_is_refused():
    with pytest.raises(TypeError, match="path must be a path, not 5"):
        FileSource(5)
