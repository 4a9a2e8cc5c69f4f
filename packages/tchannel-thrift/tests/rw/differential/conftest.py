"""The corpus of small Thrift files, and the tools that say what they think of each.

``corpus/*.toml`` has a table per construct of Apache's grammar, with the files that Apache Thrift
0.17 accepts and those that it refuses. ``thriftrw.json`` has what thriftrw 1.9.0 did with each.
``differences.toml`` lists where this engine decides otherwise, with the reason.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tchannel_thrift.rw import Loader
from tchannel_thrift.rw.errors import ThriftCompilerError, ThriftParserError

HERE = Path(__file__).parent
COMPILER = "0.17.0"


@dataclass(frozen=True)
class Case:
    """Thrift files of which ``case.thrift`` is loaded; ``apache`` is accepted or refused."""

    construct: str
    name: str
    apache: str
    files: dict[str, str]

    @property
    def id(self) -> str:
        return f"{self.construct}: {self.name}"

    def write(self, directory: Path) -> Path:
        """Write the files, and return the path of the one to load."""
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        return directory / "case.thrift"


@dataclass(frozen=True)
class Difference:
    """Cases in which this engine decides otherwise, how, and why."""

    we: str
    because: str
    cases: list[str]


def load_corpus() -> list[Case]:
    cases = []
    for path in sorted((HERE / "corpus").glob("*.toml")):
        for construct, verdicts in tomllib.loads(path.read_text("utf-8")).items():
            for verdict, sources in verdicts.items():
                for name, source in sources.items():
                    files = source if isinstance(source, dict) else {"case.thrift": source}
                    cases.append(Case(construct, name, verdict, files))
    return cases


CASES = load_corpus()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=[case.id for case in CASES])


@pytest.fixture(scope="session")
def corpus() -> list[Case]:
    return CASES


@pytest.fixture(scope="session")
def differences() -> dict[str, list[Difference]]:
    """Under ``lenient`` those from Apache, under ``strict`` those from thriftrw."""
    tables: dict[str, list[dict[str, Any]]] = tomllib.loads(
        (HERE / "differences.toml").read_text("utf-8")
    )
    return {mode: [Difference(**entry) for entry in entries] for mode, entries in tables.items()}


@pytest.fixture(scope="session")
def thriftrw_verdicts() -> dict[str, str]:
    """What thriftrw 1.9.0 did with each case; written by ``record.py``."""
    verdicts: dict[str, str] = json.loads((HERE / "thriftrw.json").read_text("utf-8"))
    return verdicts


@pytest.fixture(scope="session")
def compiler() -> str:
    """The path of Apache's compiler; tests that need it are skipped where it is missing."""
    path = shutil.which("thrift")
    if path is None:
        pytest.skip("Apache's compiler is not installed (Debian: thrift-compiler)")
    version = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    if COMPILER not in version.stdout:
        pytest.skip(f"the verdicts are of compiler {COMPILER}; this is {version.stdout.strip()}")
    return path


def verdict_of_thriftrw(loader: Any, path: Path) -> str:
    """What thriftrw does with a file, given its ``Loader``. Any exception is a refusal."""
    try:
        loader.load(str(path))
    except Exception:
        return "refused"
    return "accepted"


@pytest.fixture(scope="session")
def thriftrw_verdict() -> Callable[[Any, Path], str]:
    return verdict_of_thriftrw


@pytest.fixture(scope="session")
def verdict() -> Callable[..., str]:
    """What this engine does with a file. Only the errors that it documents are a refusal."""

    def verdict(path: Path, *, strict: bool) -> str:
        try:
            Loader(strict=strict).load(str(path))
        except (ThriftParserError, ThriftCompilerError):
            return "refused"
        return "accepted"

    return verdict
