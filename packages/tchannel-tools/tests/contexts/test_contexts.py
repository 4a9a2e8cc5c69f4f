"""``tchannel context``: where to call, by name."""

import argparse
import os
import subprocess
import sys

import pytest

from tchannel_tools._calling.options import add_where, where_of
from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._terminal.parsing import Parser
from tchannel_tools.main import main


def run(capsys, *argv):
    code = main(["context", *argv])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def where(*argv, required=True):
    parser = Parser(prog="tchannel any")
    add_where(parser)
    return where_of(parser.parse_args(argv), required=required)


@pytest.fixture
def write(config):
    def write(text):
        config.parent.mkdir(exist_ok=True)
        config.write_text(text)

    return write


def test_a_context_that_is_added_and_used_says_where_to_call(capsys):
    assert (
        run(capsys, "add", "here", "-p", "10.0.0.1:4040", "--timeout", "2s", "--cn", "me")[0] == 0
    )
    assert run(capsys, "use", "here")[0] == 0

    found = where()
    assert (found.peers, found.timeout, found.caller) == (("10.0.0.1:4040",), 2.0, "me")


def test_an_option_goes_before_the_context(capsys):
    run(capsys, "add", "here", "-p", "10.0.0.1:4040", "--router", "10.0.0.9:21300", "--use")

    assert where("-p", "10.0.0.2:1").peers == ("10.0.0.2:1",)
    assert where("-p", "10.0.0.2:1").routers == ()
    assert where("--router", "10.0.0.3:1").peers == ("10.0.0.3:1",)


def test_the_option_then_the_variable_then_the_file_name_the_context(capsys, monkeypatch):
    for name, port in (("a", 1), ("b", 2), ("c", 3)):
        run(capsys, "add", name, "-p", f"10.0.0.1:{port}")
    run(capsys, "use", "a")

    assert where().peers == ("10.0.0.1:1",)
    monkeypatch.setenv("TCHANNEL_CONTEXT", "b")
    assert where().peers == ("10.0.0.1:2",)
    assert where("--context", "c").peers == ("10.0.0.1:3",)


def test_defaults_hold_where_the_context_says_nothing(write):
    write(
        'use = "x"\n[defaults]\ntimeout = "3s"\npeers = ["10.0.0.1:1"]\n'
        '[contexts.x]\nrouters = ["10.0.0.2:2"]\ntls = true\n'
    )

    found = where()
    assert found.peers == ("10.0.0.2:2",)
    assert found.timeout == 3.0
    assert found.tls is not None


def test_no_tls_connects_plainly_whatever_the_context(write):
    write('use = "x"\n[contexts.x]\npeers = ["10.0.0.2:2"]\ntls = true\nca = "ca.pem"\n')

    assert where().tls.ca.endswith("/config/ca.pem")
    assert where("--no-tls").tls is None


def test_a_path_means_the_same_wherever_the_command_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(capsys, "add", "here", "-p", "10.0.0.1:4040", "--ca", "mine.pem", "--use")
    monkeypatch.chdir("/")

    assert where().tls.ca == str(tmp_path / "mine.pem")


def test_what_the_user_wrote_stays_when_a_context_is_added(capsys, write, config):
    write(
        '# ours\n[defaults]\ntimeout = "3s"  # slow\n\n[contexts.old]\npeers = ["10.0.0.1:1"] # x\n'
    )

    assert run(capsys, "add", "new", "-p", "10.0.0.2:2", "--use")[0] == 0
    text = config.read_text()
    for kept in ("# ours\n", 'timeout = "3s"  # slow', 'peers = ["10.0.0.1:1"] # x'):
        assert kept in text
    assert where().peers == ("10.0.0.2:2",)
    assert where("--context", "old").peers == ("10.0.0.1:1",)


def test_contexts_are_listed_shown_and_removed(capsys):
    run(capsys, "add", "a", "-p", "10.0.0.1:1", "--use")
    run(capsys, "add", "b", "--router", "10.0.0.2:2")

    assert run(capsys, "list")[1] == "* a  10.0.0.1:1\n  b  10.0.0.2:2\n"
    assert "routers = 10.0.0.2:2" in run(capsys, "show", "b")[1]
    assert run(capsys, "remove", "a")[0] == 0
    assert run(capsys, "list")[1] == "  b  10.0.0.2:2\n"
    assert run(capsys, "show")[0] == 125


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("use = \n", "is no TOML: Invalid value (at line 1"),
        ("[contexts.a]\npers = []\n", "[contexts.a] has 'pers': did you mean peers?"),
        ("[contexts.a]\npeers = 'x:1'\n", "it is a list of text"),
        ("[contexts.a]\npeers = [1]\n", "it is a list of text"),
        ("[contexts.a]\ntls = 'yes'\n", "it is true or false"),
        ("contexts = 1\n", "may have: use (a name), [defaults], [contexts.NAME]"),
        ("[contexts]\na = 1\n", "[contexts.a] is no table"),
        ("use = 'b'\n[contexts.bb]\npeers = ['x:1']\n", "there is no context 'b'"),
        ("use = 'b'\n", "there is none; `tchannel context add` makes one"),
        ("[defaults]\npeers = ['nonsense']\n", "-p: "),
        ("[defaults]\npeers = ['x:1']\ntimeout = 'x'\n", "--timeout is a time"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(write, text, said):
    write(text)

    with pytest.raises(ToolError) as caught:
        where()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "x"], "say what the context is to say"),
        (["add", "x", "-p", "nonsense"], "-p: "),
        (["add", "x", "-p", "h:1", "--timeout", "x"], "--timeout is a time"),
        (["add", "x", "-p", "h:1", "--key", "k"], "--key needs --cert"),
        (["add", "a\x1b[0m", "-p", "h:1"], "a context needs a name"),
        (["use", "x"], "there is no context 'x'"),
        (["remove", "x"], "there is no context 'x'"),
        ([], "the following arguments are required: ACTION"),
        (["add"], "the following arguments are required: NAME"),
    ],
)
def test_a_mistake_of_the_user_changes_nothing(capsys, config, arguments, said):
    code, out, err = run(capsys, *arguments)

    assert (code, out) == (125, "")
    assert said in err
    assert not config.exists()


def test_a_file_that_cannot_be_written_is_told(capsys, config):
    config.parent.write_text("a file where the folder should be")

    code, _, err = run(capsys, "add", "x", "-p", "10.0.0.1:1")
    assert code == 125
    assert err.startswith("tchannel context: cannot ")
    assert err.count("\n") == 1


def test_the_file_is_where_the_desktop_specification_says(monkeypatch, tmp_path):
    from tchannel_tools._settings.file import config_path

    monkeypatch.delenv("TCHANNEL_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path() == tmp_path / "tchannel" / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_path() == tmp_path / ".config" / "tchannel" / "config.toml"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tchannel context use st", "staging"),
        ("tchannel health x --context st", "staging"),
        ("tchannel disc", "discover"),
        ("tchannel call x y --cont", "--context"),
    ],
)
def test_a_shell_completes_commands_options_and_contexts(capsys, config, typed, offered):
    assert run(capsys, "add", "staging", "-p", "10.0.0.1:1")[0] == 0
    # As argcomplete's script asks: the answer comes on file descriptor 8.
    done = subprocess.run(
        ["bash", "-c", f"exec 8>&1; exec {sys.executable} -m tchannel_tools"],
        env={
            **os.environ,
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "COMP_LINE": typed,
            "COMP_POINT": str(len(typed)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert [one.strip() for one in done.stdout.splitlines()] == [offered]


def test_options_are_the_same_in_every_command_that_calls():
    """One place adds them; a command that has one of its own for the same thing would differ."""
    from tchannel_tools.main import make_parser

    wanted = Parser(prog="x")
    add_where(wanted)
    shared = {
        option: (action.dest, action.metavar)
        for action in wanted._actions
        for option in action.option_strings
        if option not in {"-h", "--help", "--version"}
    }
    commands = make_parser()[1].choices
    for name in ("call", "list", "describe", "health"):
        found = {
            option: (action.dest, action.metavar)
            for action in commands[name]._actions
            for option in action.option_strings
        }
        assert isinstance(commands[name], argparse.ArgumentParser)
        assert {option: found.get(option) for option in shared} == shared, name
