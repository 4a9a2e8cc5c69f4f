"""Each distribution installed alone, from its wheel, into a fresh environment."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

# Distribution -> the siblings that come with it.
SIBLINGS = {
    "tchannel-wire": {"tchannel-wire"},
    "tchannel-core": {"tchannel-core", "tchannel-wire"},
    "tchannel-thrift": {"tchannel-thrift", "tchannel-core", "tchannel-wire"},
    "tchannel-hyperbahn": {"tchannel-hyperbahn", "tchannel-core", "tchannel-wire"},
    "tchannel-testing": {"tchannel-testing", "tchannel-core", "tchannel-wire"},
    "tchannel-yarpc": {"tchannel-yarpc", "tchannel-core", "tchannel-wire"},
    "tchannel-observe": {"tchannel-observe", "tchannel-core", "tchannel-wire"},
    "tchannel-speedups": {"tchannel-speedups", "tchannel-wire"},
    "tchannel-tools": {
        "tchannel-tools",
        "tchannel-testing",
        "tchannel-hyperbahn",
        "tchannel-thrift",
        "tchannel-core",
        "tchannel-wire",
    },
}

# A module that cannot be imported belongs to a layer or an extra that is not installed, or to what the
# original library had and this one has not; either way the error says what to do.
ANSWER = re.compile(r"pip install|is no part of this library: ")

# Loaded by those who have what they are made for: pytest its plugin, Apache's library its code.
LOADED_BY_OTHERS = re.compile(r"tchannel_testing\.(pytest_plugin|data\.generated\.everything\.\w+)")

# Prints the modules below a package that can be imported, and the errors of those that cannot.
IMPORT_ALL = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
errors = {}
for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".", lambda name: None):
    if found.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(found.name)
    except ImportError as error:
        errors[found.name] = str(error)
print(json.dumps(errors))
"""


def run(*argv: "str | Path") -> str:
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def python(name: str, built: Path, tmp_path: Path) -> Path:
    """The interpreter of a fresh environment in which the distribution was installed."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    constraints = tmp_path / "constraints.txt"
    wheels = {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in built.glob("*.whl")}
    lines = [f"{sibling} @ {wheel.as_uri()}\n" for sibling, wheel in wheels.items()]
    constraints.write_text("".join(lines))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*pip, "install", "--quiet", "--constraint", constraints, name)
    run(*pip, "check")
    return python


def test_a_distribution_works_alone(python, name, package):
    installed = json.loads(
        run(
            python,
            "-I",
            "-c",
            "import importlib.metadata as m, json\n"
            "print(json.dumps([d.name for d in m.distributions()]))",
        )
    )
    errors = json.loads(run(python, "-I", "-W", "error", "-c", IMPORT_ALL, package))

    assert {one for one in installed if one.startswith("tchannel")} == SIBLINGS[name]
    unanswered = {
        module: text
        for module, text in errors.items()
        if not ANSWER.search(text) and not LOADED_BY_OTHERS.fullmatch(module)
    }
    assert unanswered == {}
