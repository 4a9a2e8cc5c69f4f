"""``python -m tchannel_tools.pages MAN DOCS``: writes both pages; ``make pages`` runs it."""

from __future__ import annotations

import sys
from pathlib import Path

from ..main import make_parser
from .man import man
from .markdown import markdown
from .reading import read

if __name__ == "__main__":
    page = read(make_parser()[0])
    for path, text in zip(sys.argv[1:], (man(page), markdown(page)), strict=True):
        Path(path).write_text(text, encoding="utf-8")
