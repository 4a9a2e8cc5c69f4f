"""Progress: on a terminal alone, and only of what takes long."""

import pytest

from tchannel_tools._terminal import progress
from tchannel_tools._terminal.progress import Progress


@pytest.fixture
def terminal(monkeypatch):
    """Let standard error, or output too, be a terminal."""

    def make(*, output=False):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        monkeypatch.setattr("sys.stdout.isatty", lambda: output, raising=False)

    return make


@pytest.fixture
def passing(monkeypatch):
    """Items that take so many seconds each."""
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)

    def items(count, seconds):
        nonlocal now
        for number in range(count):
            yield number
            now += seconds

    return items


def test_nothing_is_shown_where_there_is_no_terminal(passing, capsys):
    assert list(Progress("tool").watch(passing(10, 1.0), "files")) == list(range(10))
    assert capsys.readouterr().err == ""


def test_what_is_quick_shows_nothing(terminal, passing, capsys):
    terminal()
    list(Progress("tool").watch(passing(10, 0.05), "files"))

    assert capsys.readouterr().err == ""


def test_what_takes_over_a_second_is_counted_and_taken_away_at_its_end(terminal, passing, capsys):
    terminal()
    list(Progress("tool").watch(passing(4, 0.6), "files"))

    assert capsys.readouterr().err == ("\r\x1b[Ktool: 3 files\r\x1b[Ktool: 4 files\r\x1b[K")


def test_results_on_the_same_terminal_are_not_disturbed(terminal):
    terminal(output=True)

    assert Progress("tool").wanted
    assert not Progress("tool", beside_output=True).wanted


def test_what_others_said_cannot_drive_the_terminal(terminal, capsys):
    terminal()
    Progress("tool").show("\x1b[31mred\n")

    assert capsys.readouterr().err == "\r\x1b[Ktool: �[31mred"
