"""``tchannel``: the one command in front of all tools."""

import os
import subprocess
import sys

import pytest

from tchannel_tools import __version__
from tchannel_tools._terminal.failures import ExitCode
from tchannel_tools.main import COMMANDS, main


def test_its_help_names_every_command_and_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command}" in out
    assert "exit-codes" in out


def test_without_a_command_it_shows_its_help(capsys):
    assert main([]) == 0
    assert "usage: tchannel" in capsys.readouterr().out


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tchannel-tools {__version__}\n"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one != "help"])
def test_each_command_shows_its_options_under_the_name_that_the_user_typed(command, capsys):
    assert main(["help", command]) == 0
    by_help = capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == by_help
    assert by_help.startswith(f"usage: tchannel {command}")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["call", "svc", "--nosuch"], "tchannel call"),
        (["list", "svc", "--nosuch"], "tchannel list"),
        (["health"], "tchannel health"),
        (["router", "--port", "x"], "tchannel router"),
        (["router", "--max-buffered", "1"], "tchannel router"),
        (["proxy", "nonsense"], "tchannel proxy"),
        (["stubs", "/nowhere/x.thrift"], "tchannel stubs"),
        (["context", "ad"], "tchannel context"),
        (["nosuch"], "tchannel"),
        (["--nosuch"], "tchannel"),
        (["help", "nosuch"], "tchannel help"),
    ],
)
def test_a_mistake_is_one_line_of_the_command_that_the_user_typed(arguments, command, capsys):
    assert main(arguments) == 125
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{command}: ")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["decod"], "there is no command 'decod': did you mean decode?"),
        (["xyz"], "there is no command 'xyz': there are call, list"),
        (["list", "svc", "--jsn"], "unknown option --jsn; did you mean --json?"),
        (["list", "svc", "--zzz"], "unknown option --zzz: see --help"),
        (["list", "svc", "more"], "'more' is one argument too many"),
        (["help", "exit-code"], "did you mean exit-codes?"),
    ],
)
def test_what_was_meant_is_told_where_it_comes_close(typed, said, capsys):
    assert main(typed) == 125
    assert said in capsys.readouterr().err


def test_the_exit_codes_of_all_commands_stand_in_one_table(capsys):
    assert main(["help", "exit-codes"]) == 0
    out = capsys.readouterr().out
    for code in (0, *range(1, 9), *ExitCode):
        assert f"\n  {code:>3}  " in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_the_version(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"tchannel-tools {__version__}\n"


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


@pytest.mark.parametrize("arguments", [["load", "svc", "get"], ["replay", "calls.jsonl"]])
def test_what_needs_an_extra_says_what_to_install_before_anything_else(
    arguments, capsys, monkeypatch
):
    for module in [one for one in sys.modules if one.split(".")[0] == "hdrh"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "hdrh", None)

    assert main([*arguments, "-p", "127.0.0.1:1"]) == 125
    assert capsys.readouterr().err == (
        f"tchannel {arguments[0]}: measuring many calls needs hdrhistogram, which is not installed:"
        " pip install 'tchannel-tools[load]'\n"
    )


@pytest.mark.parametrize("command", [["doctor", "--local"], ["help", "exit-codes"]])
def test_a_command_whose_output_nobody_reads_ends_with_its_own_code_and_no_word(command):
    read, write = os.pipe()
    os.close(read)
    argv = [sys.executable, "-m", "tchannel_tools", *command]
    done = subprocess.run(argv, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)

    assert (done.returncode, done.stderr) == (125, b"")
