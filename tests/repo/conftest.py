"""What the tests of the repository's shape share: the distributions and their files."""

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Distribution:
    """One of the distributions: its name, its folder and its metadata."""

    name: str
    folder: Path
    project: dict[str, Any]

    @property
    def package(self) -> Path:
        """The folder of the package that it imports as."""
        (found,) = (self.folder / "src").glob("*/__init__.py")
        return found.parent

    @property
    def version(self) -> str:
        """Its version, as the build takes it."""
        names: dict[str, str] = {}
        exec((self.package / "_version.py").read_text(), names)
        return names["__version__"]


def _load(folder: Path) -> Distribution:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return Distribution(project["name"], folder, project)


ALL = [_load(path.parent) for path in sorted(ROOT.glob("packages/*/pyproject.toml"))]


@pytest.fixture(scope="session")
def distributions() -> dict[str, Distribution]:
    """All of them, by name."""
    return {one.name: one for one in ALL}


@pytest.fixture(params=ALL, ids=lambda one: one.name)
def distribution(request: pytest.FixtureRequest) -> Distribution:
    """Each of them in turn."""
    found: Distribution = request.param
    return found


def tracked_files() -> list[Path]:
    """Every file that is under version control and there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file that is under version control and there."""
    return tracked_files()


def source_lengths() -> dict[str, int]:
    """Lines of each source file, by its path in the repository."""
    return {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in tracked_files()
        # What Apache's compiler made is as long as it made it.
        if path.suffix in {".py", ".js"} and "generated" not in path.parts
    }


@pytest.fixture(scope="session")
def lengths() -> dict[str, int]:
    """Lines of each source file, by its path in the repository."""
    return source_lengths()


@dataclass(frozen=True)
class LongFiles:
    """From how many lines on a source file is long, and which may be, each with the reason."""

    limit: int
    allowed: dict[str, str]


LONG_FILES = LongFiles(
    limit=550,
    allowed={},
)


@pytest.fixture(scope="session")
def long_files() -> LongFiles:
    """Which source files may be long."""
    return LONG_FILES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the long files that nobody gave a reason for: is each one concept?"""
    long = {
        name: lines
        for name, lines in source_lengths().items()
        if lines > LONG_FILES.limit and name not in LONG_FILES.allowed
    }
    if long:
        terminalreporter.section(f"files over {LONG_FILES.limit} lines")
        for name, lines in sorted(long.items()):
            terminalreporter.write_line(f"{lines} {name}")
