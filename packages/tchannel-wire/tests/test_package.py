"""The package as a whole: what it imports, what it exports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tchannel_wire

SOURCES = sorted(Path(tchannel_wire.__file__).parent.glob("*.py"))

# Used when importable; their absence is tested in test_checksums.py.
OPTIONAL = {
    "checksums.py": {"google_crc32c", "crc32c"},
    "speedups.py": {"tchannel_speedups"},
}


def test_sources_were_found():
    assert len(SOURCES) > 20


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_the_standard_library_is_imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])

    assert names - sys.stdlib_module_names == names & OPTIONAL.get(path.name, set())


def test_import_loads_nothing_slow():
    slow = {"asyncio", "dataclasses", "random", "argparse", "tornado", "logging", "inspect"}
    code = "import sys, tchannel_wire; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert slow.isdisjoint(loaded)


def test_everything_public_is_exported_by_name():
    assert sorted(tchannel_wire.__all__) == sorted(set(tchannel_wire.__all__))
    for name in tchannel_wire.__all__:
        assert hasattr(tchannel_wire, name)
    names = [
        alias.asname or alias.name
        for node in ast.parse(SOURCES[0].read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    imported = {name for name in names if name == "__version__" or not name.startswith("_")}
    assert imported == set(tchannel_wire.__all__)


def test_public_objects_are_documented():
    for name in tchannel_wire.__all__:
        value = getattr(tchannel_wire, name)
        if isinstance(value, type) or callable(value):
            assert value.__doc__, name


def test_example_of_the_readme_runs():
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    example = readme.split("```python\n")[1].split("```")[0]
    names = {}
    exec(example, names)

    assert names["response"].arg3 == b"hello"


def test_type_hints_are_shipped():
    assert (SOURCES[0].parent / "py.typed").exists()
