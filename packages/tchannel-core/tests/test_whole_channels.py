"""Channels as objects: what may be set, what subclasses change, and that they stay one."""

import copy
import pickle

import pytest

from tchannel import TChannel, sync


@pytest.mark.parametrize(
    "name", ["interceptors", "hooks", "endpoints", "ssl_server", "ssl_client", "peers", "options"]
)
def test_what_would_change_nothing_cannot_be_set(name):
    channel = TChannel("name")

    with pytest.raises(AttributeError):
        setattr(channel, name, [])


@pytest.mark.parametrize("kind", [TChannel, sync.TChannel])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_channel_cannot_be_copied_or_pickled(kind, duplicate):
    with pytest.raises(TypeError, match="channel name cannot be copied or pickled"):
        duplicate(kind("name"))


async def test_a_subclass_sees_every_call_by_start_call_and_is_closed_by_its_own_close(server):
    seen = []

    class Watched(TChannel):
        @property
        def start_call(self):
            started = super().start_call

            def start_call(scheme, service, endpoint, *args, **kwargs):
                seen.append((scheme, endpoint))
                return started(scheme, service, endpoint, *args, **kwargs)

            return start_call

        def close(self, grace=None):
            seen.append("close")
            return super().close(grace)

    async with Watched("watched") as channel:
        for call in (channel.raw, channel.json, channel.service("other").raw):
            await call("server", "ok", None, hostport=server.hostport)
        await channel.call("raw", "server", "ok", hostport=server.hostport)

    assert seen == [("raw", "ok"), ("json", "ok"), ("raw", "ok"), ("raw", "ok"), "close"]


@pytest.fixture
async def server():
    async with TChannel("server", "127.0.0.1:0") as channel:
        channel.raw.register("ok", lambda request: b"")
        channel.json.register("ok", lambda request: {})
        channel.listen()
        yield channel
