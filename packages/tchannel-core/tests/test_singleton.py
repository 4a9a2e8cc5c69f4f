"""One channel per thread."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tchannel import singleton
from tchannel.channel import TChannel
from tchannel.errors import ServiceNameIsRequiredError, SingletonNotPreparedError
from tchannel.sync import singleton as sync_singleton


@pytest.fixture(autouse=True)
def unprepared() -> Iterator[None]:
    yield
    singleton.TChannel.reset()


def test_it_makes_a_channel_of_the_prepared_arguments_once() -> None:
    singleton.TChannel.prepare("name", process_name="process")
    channel = singleton.TChannel.get_instance()
    assert type(channel) is TChannel
    assert (channel.name, channel.process_name) == ("name", "process")
    assert singleton.TChannel.get_instance() is channel


def test_each_thread_has_its_own() -> None:
    singleton.TChannel.prepare("name")
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(singleton.TChannel.get_instance).result(10)
        assert threads.submit(singleton.TChannel.get_instance).result(10) is other
    assert other is not singleton.TChannel.get_instance()


def test_it_must_be_prepared_before_and_again_after_a_reset() -> None:
    with pytest.raises(SingletonNotPreparedError, match="prepare must be called"):
        singleton.TChannel.get_instance()
    singleton.TChannel.prepare("name")
    first = singleton.TChannel.get_instance()
    singleton.TChannel.reset()
    with pytest.raises(SingletonNotPreparedError):
        singleton.TChannel.get_instance()
    singleton.TChannel.prepare("name")
    assert singleton.TChannel.get_instance() is not first


def test_bad_arguments_are_those_of_the_channel() -> None:
    singleton.TChannel.prepare("")
    with pytest.raises(ServiceNameIsRequiredError):
        singleton.TChannel.get_instance()


def test_the_sync_singleton_is_prepared_apart() -> None:
    singleton.TChannel.prepare("name")
    with pytest.raises(SingletonNotPreparedError):
        sync_singleton.TChannel.get_instance()
