"""Run the Python of a page of the documentation, as one program.

Usage: ``python scripts/run_page.py docs/guide/services.md``

The blocks of a page share their names and one event loop, and may await. What readers need not see
(a server to call, a clock) stands before them in a comment: ``<!-- python`` … ``-->``. A line that an
error belongs to is found under its number in the page.
"""

import ast
import asyncio
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

_BLOCK = re.compile(r"^(?:```python|<!-- python)\n(.*?)^(?:```|-->)$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[CodeType]:
    """The blocks of a page, compiled, each at its own lines."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        before = text.count("\n", 0, found.start(1))
        tree = ast.parse("\n" * before + found[1], str(page))
        yield compile(tree, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def run(page: Path) -> int:
    """Run the blocks one after another; how many there were."""
    names: dict[str, object] = {"__name__": "__main__"}
    compiled = list(blocks(page))
    for code in compiled:
        result = eval(code, names)  # noqa: S307 - our own pages
        if inspect.isawaitable(result):
            await result
    return len(compiled)


if __name__ == "__main__":
    ran = asyncio.run(run(Path(sys.argv[1])))
    print(f"{sys.argv[1]}: {ran} blocks")
