"""The man page and the page of the documents: what --help shows, and up to date."""

import argparse
import re
from pathlib import Path

import pytest

from tchannel_tools._terminal.exit_codes import EXIT_CODES
from tchannel_tools._terminal.parsing import Parser
from tchannel_tools.main import COMMANDS, make_parser
from tchannel_tools.pages.man import man
from tchannel_tools.pages.markdown import markdown
from tchannel_tools.pages.reading import read

MAN = Path(__file__).parents[2] / "man" / "tchannel.1"


def test_the_man_page_that_is_shipped_is_up_to_date():
    assert MAN.read_text() == man(read(make_parser()[0])), "`make pages` writes it anew"


def options_of(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                yield from options_of(part)
        elif action.help is not argparse.SUPPRESS:
            yield from action.option_strings


@pytest.mark.parametrize("command", COMMANDS)
def test_both_pages_have_every_option_of_every_command(command):
    page = read(make_parser([command])[0])
    by_man = man(page).replace("\\-", "-")
    by_markdown = markdown(page)

    wanted = set(options_of(make_parser([command])[1].choices[command]))
    for option in wanted - {"-h", "--help", "--version"}:
        assert re.search(rf"^\.B .*{re.escape(option)}\b", by_man, re.MULTILINE), option
        assert re.search(rf"^\| `.*{re.escape(option)}\b", by_markdown, re.MULTILINE), option
    for code, text in EXIT_CODES:
        assert f"| {code} | " in by_markdown
        assert f".B {code}\n{text}" in by_man.replace("\\&", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_and_every_command_says_what_it_is(command):
    (page,) = read(make_parser([command])[0]).parts

    def check(page):
        assert page.short, page.name
        for options in page.groups.values():
            for option in options:
                assert option.text, f"{page.name} {option.spelled}"
                assert "%(" not in option.text
        for part in page.parts:
            check(part)

    check(page)


def test_nothing_in_a_text_is_taken_for_a_request_of_roff():
    parser = Parser(prog="tool", description="x")
    commands = parser.add_subparsers()
    one = commands.add_parser("one", help="it\\s 'quoted'", description=".hidden - and more")
    one.add_argument("--opt", help="'in front")

    page = man(read(parser))
    assert "\n\\&.hidden \\- and more\n" in page
    assert "\n\\(aqin front\n" in page
    assert "It\\es \\(aqquoted\\(aq." in page


def test_help_prints_the_man_page(capsys):
    from tchannel_tools.main import main

    assert main(["help", "man"]) == 0
    assert capsys.readouterr().out == MAN.read_text()
