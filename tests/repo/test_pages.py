"""docs/commands.md is what the commands themselves say."""

from pathlib import Path

from tchannel_tools.main import make_parser
from tchannel_tools.pages.markdown import markdown
from tchannel_tools.pages.reading import read

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_commands_is_up_to_date():
    assert (DOCS / "commands.md").read_text() == markdown(read(make_parser()[0])), (
        "`make pages` writes it anew"
    )
