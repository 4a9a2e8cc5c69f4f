"""What a code base says it needs: requirements files, pyproject.toml, setup.py and setup.cfg."""

from __future__ import annotations

import re
from typing import Final

from .rules import RULES, Finding

__all__ = ["NAMES", "scan_requirements"]

NAMES: Final = frozenset(
    {"requirements.txt", "setup.py", "setup.cfg", "pyproject.toml", "Pipfile", "tox.ini"}
)

# Distribution -> what comes instead.
_INSTEAD: Final = {
    "tchannel": "tchannel-core, with tchannel-thrift, tchannel-hyperbahn, tchannel-testing as needed",
    "thriftrw": "tchannel-thrift",
    "threadloop": "nothing",
    "toro": "nothing: Tornado has locks and queues",
    "opentracing": "nothing",
    "opentracing-instrumentation": "nothing",
    "crcmod": "nothing: checksums come with tchannel-core",
    "futures": "nothing: it is in the standard library",
    "contextlib2": "nothing: it is in the standard library",
}
_NAME = re.compile(
    r"""(?:^|["'=,\s]|(?<![\w-])\[)({})(?:\[[\w,\s-]*\])?\s*(?:[=<>!~]=?[^"',\]]*)?(?=["',\];\s]|$)""".format(
        "|".join(sorted(_INSTEAD, key=len, reverse=True))
    )
)
_TORNADO = re.compile(r"""(?:^|["'=,\[\s])tornado\s*([=<>!~][^"'\]]*)""")
_PYTHON = re.compile(r"""(?:python_requires|requires-python)\s*=\s*["']([^"']*)["']""")


def scan_requirements(text: str, path: str) -> list[Finding]:
    """Return what is required and is not needed, or not good, any more.

    Args:
        text: The text of the file.
        path: What to call it.

    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition("#")[0]
        for match in _NAME.finditer(code):
            name = match[1]
            what = f"{name}: {_INSTEAD[name]} comes instead"
            found.append(Finding(path, number, match.start(1) + 1, RULES["requirement"], what))
        tornado = _TORNADO.search(code)
        if tornado is not None and re.search(r"<\s*=?\s*[56]\b|==\s*[345]\.", tornado[1]):
            what = f"tornado{tornado[1].strip()}: tornado>=6.4 is needed"
            found.append(Finding(path, number, tornado.start() + 1, RULES["requirement"], what))
        python = _PYTHON.search(code)
        if python is not None and re.search(r"(?:[~>]=?|==)\s*(?:2|3\.(?:\d|10)\b)", python[1]):
            what = f"Python {python[1]}"
            found.append(Finding(path, number, python.start() + 1, RULES["python-version"], what))
    return found
