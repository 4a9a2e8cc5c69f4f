"""``tchannel migrate`` on programs: it finds what needs a change, and nothing else."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tchannel_tools.main import main
from tchannel_tools.migrate.command import findings_in
from tchannel_tools.migrate.fix import fix
from tchannel_tools.migrate.rules import RULES

PROGRAMS = Path(__file__).parent / "programs"
NAMES = sorted(path.name for path in PROGRAMS.iterdir() if path.is_dir())
MARK = re.compile(r"# migrate: ([\w -]+)$")

# Places to change, and places to look at.
COUNTS = {
    "gateway": (11, 6),
    "keyvalue": (7, 2),
    "library": (15, 2),
    "tracing": (12, 2),
    "worker": (12, 2),
}


def files_of(name):
    return sorted(path for path in (PROGRAMS / name).rglob("*") if path.is_file())


def marked(path):
    """The rules that a file itself says it needs, by line."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = MARK.search(line)
        if match is not None:
            yield from ((number, rule) for rule in match[1].split())


@pytest.mark.parametrize(
    "path", [path for name in NAMES for path in files_of(name)], ids=lambda path: path.name
)
def test_what_is_marked_is_found_and_nothing_else(path):
    found = Counter((one.line, one.rule.name) for one in findings_in(path))

    assert found == Counter(marked(path))


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_summed_up_with_its_counts(name, capsys):
    assert main(["migrate", str(PROGRAMS / name)]) == 126

    change, look = COUNTS[name]
    assert f": {change} places to change, {look} to look at" in capsys.readouterr().err


@pytest.mark.extra
@pytest.mark.parametrize("name", NAMES)
def test_what_is_rewritten_compiles_and_leaves_the_mechanical_rules_nothing(name, tmp_path):
    pytest.importorskip("libcst", reason="the extra `migrate`")
    mechanical = {"thriftrw", "tracing-arguments"}
    for path in files_of(name):
        if path.suffix != ".py" or any(rule == "python-2" for _, rule in marked(path)):
            continue
        fixed = fix(path.read_text(), str(path))
        ast.parse(fixed)
        copy = tmp_path / path.name
        copy.write_text(fixed)
        left = {one.rule.name for one in findings_in(copy)}
        assert not left & mechanical
        assert "IOLoop.instance()" not in fixed


def test_the_programs_meet_every_rule():
    met = {rule for name in NAMES for path in files_of(name) for _, rule in marked(path)}

    assert met == set(RULES)
