"""The map of the insides is true: its drawing is that of the imports, and the files it names exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WINGS = ("_life", "_links", "_serving", "_calls", "_sight", "_ground")
MAP = ROOT / "docs" / "inside.md"
CORE = ROOT / "packages/tchannel-core/src/tchannel"


def drawn() -> set[tuple[str, str]]:
    """The arrows between wings, as the drawing has them: from each wing to all that follow it."""
    arrows = set()
    for line in MAP.read_text().splitlines():
        row = re.findall(r"_\w+", line)
        if "->" in line and row and all(name in WINGS for name in row):
            arrows |= {(row[i], row[j]) for i in range(len(row)) for j in range(i + 1, len(row))}
    return arrows


def imported() -> set[tuple[str, str]]:
    """The arrows between wings that the imports make, those for type checkers left out."""
    arrows = set()
    for path in CORE.rglob("*.py"):
        wing = path.relative_to(CORE).parts[0]
        if wing not in WINGS:
            continue
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                node.body = []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 2 and node.module:
                target = node.module.split(".")[0]
                if target in WINGS:
                    arrows.add((wing, target))
    return arrows


def test_the_drawing_has_the_arrows_of_the_imports():
    assert imported() <= drawn()


def test_every_wing_is_drawn():
    assert {wing for arrow in drawn() for wing in arrow} == set(WINGS)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w./-]+\.py)`", MAP.read_text()))))
def test_the_files_that_it_names_exist(name):
    places = [ROOT, ROOT / "packages/tchannel-wire/src/tchannel_wire", CORE]
    places += list((ROOT / "packages").glob("*/src")) + [CORE / wing for wing in WINGS]

    assert any((place / name).is_file() for place in places)


def test_it_is_short_enough_to_be_read():
    assert len(MAP.read_text().splitlines()) <= 200
