"""Uber's distribution ``tchannel`` in one environment with ours, in every order, with real pip.

Theirs is installed without its dependencies, which no Python of today has: what it does to our files is the same.
"""

import subprocess
import sys
from pathlib import Path

import pytest

THEIRS = "tchannel==2.1.0"
CURE = "Run `pip uninstall tchannel tchannel-core` and then `pip install tchannel-core`"

USES = [
    "import tchannel",
    "from tchannel import TChannel",
    "from tchannel.errors import TimeoutError",
    "from tchannel.channel import TChannel",
    "from tchannel_testing import FakeService",
]
"""Ways in which programs come to our package; all of them must be told."""


class Environment:
    """A fresh environment, and pip for it."""

    def __init__(self, folder: Path, built: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.python = folder / "bin" / "python"
        self._ours = sorted(
            str(next(built.glob(f"tchannel_{name}-*.whl"))) for name in ("wire", "core", "testing")
        )

    def pip(self, *argv: str) -> None:
        """Let pip do something here; it must succeed."""
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
        done = subprocess.run(
            [*pip, self.python, *argv], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def install_ours(self) -> None:
        self.pip("install", "--quiet", *self._ours)

    def install_theirs(self) -> None:
        self.pip("install", "--quiet", "--no-deps", THEIRS)

    def uninstall(self, *names: str) -> None:
        self.pip("uninstall", "--quiet", "--yes", *names)

    def run(self, code: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.python, "-I", "-c", code], capture_output=True, text=True, check=False
        )

    def says(self, code: str) -> str:
        """What the code says on standard error; a traceback is joined to one line."""
        return " ".join(self.run(code).stderr.split())

    def is_well(self) -> bool:
        """Whether ours works, and says nothing about it."""
        done = self.run(
            "import tchannel\n"
            "from tchannel import TChannel, Response, sync, testing\n"
            "print(TChannel('name'), tchannel.Response(b'body').body)"
        )
        return done.returncode == 0 and done.stderr == "" and "b'body'" in done.stdout


@pytest.fixture
def environment(tmp_path, built):
    return Environment(tmp_path / "venv", built)


def test_ours_alone_works_and_says_nothing(environment):
    environment.install_ours()

    assert environment.is_well()


def test_ours_installed_over_theirs_warns_and_works(environment):
    environment.install_theirs()
    environment.install_ours()

    for use in USES:
        done = environment.run(use)
        assert done.returncode == 0, done.stderr
        assert f"RuntimeWarning: {environment.python.parents[1]}" in done.stderr
        assert CURE in done.stderr
    assert (
        "TChannel name"
        in environment.run("import tchannel; print(tchannel.TChannel('name'))").stdout
    )


def test_theirs_installed_over_ours_is_an_error(environment):
    environment.install_ours()
    environment.install_theirs()

    for use in USES:
        assert "ImportError: " in environment.says(use)
        assert "is of Uber's distribution 'tchannel'" in environment.says(use)
        assert CURE in environment.says(use)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_theirs_uninstalled_at_last_takes_ours_along_and_that_is_said(environment, first):
    install = {"ours": environment.install_ours, "theirs": environment.install_theirs}
    install.pop(first)()
    next(iter(install.values()))()

    environment.uninstall("tchannel")

    for use in USES:
        assert "ImportError: files of tchannel-core are missing" in environment.says(use)
        assert CURE in environment.says(use)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_ours_uninstalled_and_installed_again_finds_what_theirs_left(environment, first):
    install = {"ours": environment.install_ours, "theirs": environment.install_theirs}
    install.pop(first)()
    next(iter(install.values()))()

    environment.uninstall("tchannel-core")
    environment.install_ours()

    assert f"RuntimeWarning: {environment.python.parents[1]}" in environment.run(USES[0]).stderr
    assert CURE in environment.run(USES[0]).stderr


@pytest.mark.parametrize(
    "state",
    [
        "theirs, ours",
        "ours, theirs",
        "ours, theirs, -theirs",
        "theirs, ours, -theirs",
        "theirs, ours, -ours",
    ],
)
def test_the_cure_cures(environment, state):
    steps = {
        "ours": environment.install_ours,
        "theirs": environment.install_theirs,
        "-ours": lambda: environment.uninstall("tchannel-core"),
        "-theirs": lambda: environment.uninstall("tchannel"),
    }
    for step in state.split(", "):
        steps[step]()

    environment.uninstall("tchannel", "tchannel-core")
    environment.install_ours()

    assert environment.is_well()


def test_the_order_that_the_documents_tell_leaves_nothing_to_say(environment):
    environment.install_theirs()

    environment.uninstall("tchannel")
    environment.install_ours()

    assert environment.is_well()
