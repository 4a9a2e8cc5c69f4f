"""Cassettes on disk."""

import os
import stat

import pytest

from tchannel_testing import vcr
from tchannel_testing.vcr import files


def test_a_file_that_is_not_there_reads_as_none(tmp_path):
    assert files.read(str(tmp_path / "missing")) is None


def test_writing_makes_directories_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a" / "b" / "cassette.yaml"

    files.check_writable(str(path))
    assert list(tmp_path.iterdir()) == []
    files.write(str(path), b"contents")

    assert path.read_bytes() == b"contents"
    assert list(path.parent.iterdir()) == [path]


def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path):
    path, usual = tmp_path / "cassette.yaml", tmp_path / "usual"
    usual.touch()

    files.write(str(path), b"new")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    path.chmod(0o640)
    files.write(str(path), b"newer")

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_symbolic_link_stays_one(tmp_path):
    target, link = tmp_path / "target.yaml", tmp_path / "link.yaml"
    target.touch()
    link.symlink_to(target)

    files.write(str(link), b"contents")

    assert link.is_symlink()
    assert target.read_bytes() == b"contents"


def test_when_writing_fails_the_old_file_is_whole_and_nothing_else_is_left(tmp_path, monkeypatch):
    path = tmp_path / "cassette.yaml"
    path.write_bytes(b"old")

    def fail(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        files.write(str(path), b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
@pytest.mark.parametrize("place", ["file/below.yaml", "directory"])
def test_an_unwritable_path_fails_before_the_first_call(tmp_path, mode, place):
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()

    with (
        pytest.raises(OSError, match=str(tmp_path / place)),
        vcr.use_cassette(tmp_path / place, mode),
    ):
        raise AssertionError("the block must not be entered")


def test_a_file_that_says_read_only_is_respected(tmp_path, monkeypatch):
    path = tmp_path / "cassette.yaml"
    path.touch()
    # Simulated, because the tests may run as a user who may do anything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(PermissionError, match="read-only"):
        files.check_writable(str(path))


def test_a_mode_that_never_records_needs_no_writable_path(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError), vcr.use_cassette(tmp_path / "file" / "below", "none"):
        pass
    with vcr.use_cassette(tmp_path / "missing" / "below", "none"):
        pass
