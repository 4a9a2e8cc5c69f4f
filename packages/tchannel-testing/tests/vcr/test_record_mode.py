"""A story for each record mode."""

import pytest

from tchannel_testing import vcr
from tchannel_testing.vcr import RecordMode


async def test_once_records_a_new_file_then_replays_it_and_refuses_anything_new(
    path, echo, service
):
    assert not path.exists()

    with vcr.use_cassette(path, RecordMode.ONCE) as cassette:
        assert not cassette.existed
        assert not cassette.write_protected
        assert await echo(b"one") == b"one"
        assert await echo(b"two") == b"two"
        assert cassette.play_count == 0
    assert service.calls["echo"] == 2
    first = path.read_bytes()

    with vcr.use_cassette(path) as cassette:
        assert cassette.existed
        assert cassette.write_protected
        assert await echo(b"two") == b"two"
        assert not cassette.all_played
        assert await echo(b"one") == b"one"
        assert cassette.play_count == 2
        assert cassette.all_played
        with pytest.raises(vcr.CannotRecordInteractionsError):
            await echo(b"three")

    assert service.calls["echo"] == 2
    assert path.read_bytes() == first


async def test_once_does_not_replay_what_it_records_itself(path, echo, service):
    with vcr.use_cassette(path, "once"):
        await echo(b"one")
        await echo(b"one")

    assert service.calls["echo"] == 2


async def test_new_episodes_replays_what_is_there_and_adds_what_is_not(recorded, echo, service):
    with vcr.use_cassette(recorded, RecordMode.NEW_EPISODES) as cassette:
        await echo(b"two")
        await echo(b"three")
        assert cassette.play_count == 1
        assert not cassette.write_protected
    assert service.calls["echo"] == 1

    with vcr.use_cassette(recorded, RecordMode.NONE) as cassette:
        assert [request.body for request in cassette.requests] == [b"one", b"two", b"three"]
        for body in (b"three", b"one", b"two"):
            assert await echo(body) == body
    assert service.calls["echo"] == 1


async def test_none_replays_and_refuses_anything_new(recorded, echo, service):
    with vcr.use_cassette(recorded, RecordMode.NONE):
        assert await echo(b"one") == b"one"
        with pytest.raises(vcr.CannotRecordInteractionsError):
            await echo(b"three")

    assert service.calls["echo"] == 0


async def test_none_refuses_everything_without_a_file_and_makes_none(path, echo):
    with (
        vcr.use_cassette(path, "none"),
        pytest.raises(vcr.CannotRecordInteractionsError, match="does not exist"),
    ):
        await echo(b"one")

    assert not path.parent.exists()


async def test_all_replays_nothing_and_forgets_what_was_there(recorded, echo, service):
    with vcr.use_cassette(recorded, RecordMode.ALL) as cassette:
        await echo(b"three")
        assert cassette.play_count == 0
    assert service.calls["echo"] == 1

    with vcr.use_cassette(recorded, RecordMode.NONE) as cassette:
        assert [request.body for request in cassette.requests] == [b"three"]


async def test_all_leaves_the_file_when_nothing_was_called(recorded):
    before = recorded.read_bytes()

    with vcr.use_cassette(recorded, RecordMode.ALL):
        pass

    assert recorded.read_bytes() == before


@pytest.mark.parametrize("name", ["none", "NONE", "None", RecordMode.NONE])
def test_modes_are_known_by_name_in_any_case(name):
    assert RecordMode.from_name(name) is RecordMode.NONE


@pytest.mark.parametrize("name", ["never", "", 7])
def test_an_unknown_mode_is_refused_and_the_four_are_named(name, path):
    with (
        pytest.raises(vcr.VCRError, match=r"'once', 'new_episodes', 'none', 'all'"),
        vcr.use_cassette(path, name),
    ):
        pass


def test_the_mode_of_a_cassette_is_its_name(path):
    assert vcr.Cassette(path, "New_Episodes").record_mode == "new_episodes"
