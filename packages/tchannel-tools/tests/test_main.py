"""``tchannel``: the one command in front of all tools."""

import subprocess
import sys

import pytest

from tchannel_tools import __version__
from tchannel_tools.main import main


def test_its_help_names_every_command_and_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for command in ("call", "decode", "router", "proxy", "stubs", "completion"):
        assert f"\n    {command}" in out
    assert "exit codes:" in out


def test_without_a_command_it_shows_its_help(capsys):
    assert main([]) == 0
    assert "usage: tchannel" in capsys.readouterr().out


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tchannel-tools {__version__}\n"


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("call", "usage: tcurl"),
        ("list", "usage: tcurl"),
        ("health", "usage: tcurl"),
        ("router", "usage: python -m tchannel_hyperbahn router"),
        ("proxy", "usage: python -m tchannel_testing proxy"),
        ("stubs", "usage: python -m tchannel_thrift stubs"),
    ],
)
def test_other_programs_keep_their_own_arguments(command, own, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert own in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "tchannel" in capsys.readouterr().out


def test_an_unknown_shell_is_a_mistake_in_one_line(capsys):
    assert main(["completion", "tcsh"]) == 125
    err = capsys.readouterr().err
    assert "invalid choice: 'tcsh'" in err
    assert len(err.splitlines()) == 1


def test_who_reads_no_further_ends_it_without_a_word(tmp_path):
    frames = tmp_path / "frames"
    frames.write_text("0010d00000000007 0000000000000000\n" * 50_000)
    done = subprocess.run(
        f"{sys.executable} -m tchannel_tools decode {frames} | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
