"""One sync channel per thread."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tchannel import sync
from tchannel.errors import SingletonNotPreparedError
from tchannel.sync import singleton


@pytest.fixture(autouse=True)
def unprepared(fake: Any) -> Iterator[None]:
    yield
    singleton.TChannel.reset()


def test_it_makes_a_sync_channel_of_the_prepared_arguments(fake: Any) -> None:
    singleton.TChannel.prepare("name", known_peers=["h:1"])
    channel = singleton.TChannel.get_instance()
    assert isinstance(channel, sync.TChannel)
    assert channel is singleton.TChannel.get_instance()
    (made,) = fake.made
    assert (made.name, made.known_peers) == ("name", ["h:1"])


def test_each_thread_has_its_own() -> None:
    singleton.TChannel.prepare("name")
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(singleton.TChannel.get_instance).result(10)
    assert other is not singleton.TChannel.get_instance()


def test_it_must_be_prepared() -> None:
    with pytest.raises(SingletonNotPreparedError, match="prepare must be called"):
        singleton.TChannel.get_instance()
