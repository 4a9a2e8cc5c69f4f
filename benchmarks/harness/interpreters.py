"""Where the contenders' programs are run: Python environments and Node's packages.

Environments are made by ``run.py --install`` below the user's cache directory, one per Python
version and one for tchannel-python 2.1.0, and used by every later run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
PROJECT = BENCHMARKS.parent
PEERS = PROJECT / "tests" / "interop" / "peers"
# In the order of their dependencies, so that each finds its siblings installed.
DISTRIBUTIONS = ("wire", "core", "thrift", "hyperbahn")
PY21_PYTHON = "3.11"  # the newest that tchannel-python 2.1.0 can be imported on


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program that runs workers; `path` is None where it is missing, and `reason` says why."""

    label: str
    path: Path | None
    reason: str = ""


def cache_directory() -> Path:
    """The directory of the benchmark environments: $XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tchannel-benchmarks"


def find_python(wanted: str) -> Interpreter:
    """The interpreter of a path, or of a version such as "3.13" (its benchmark environment).

    Its label is the version either way, so that a run names its rows alike on every machine.
    """
    path = Path(wanted)
    if path.is_file():
        return Interpreter(version_of(path), path.absolute())
    environment = cache_directory() / f"python{wanted}" / "bin" / "python"
    if environment.is_file():
        return Interpreter(wanted, environment)
    if wanted == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Interpreter(wanted, Path(sys.executable))
    hint = f"no environment for Python {wanted}: run.py --install --python {wanted} makes it"
    return Interpreter(wanted, None, hint)


def find_py21() -> Interpreter:
    """The environment of tchannel-python 2.1.0: ours, or that of the interoperability tests."""
    for environment in (cache_directory() / "py21", PEERS / "py21" / ".venv"):
        path = environment / "bin" / "python"
        if path.is_file():
            return Interpreter("2.1.0", path)
    return Interpreter("2.1.0", None, "tchannel 2.1.0 is not installed: run.py --install")


def find_node(modules: Path | None) -> tuple[Interpreter, Path]:
    """Node, and the folder of its packages (by default that of the interoperability tests)."""
    folder = modules or PEERS / "node" / "node_modules"
    node = shutil.which("node")
    if node is None:
        return Interpreter("node", None, "node is not on the PATH"), folder
    if not folder.is_dir():
        return Interpreter("node", None, f"no {folder}: make interop, or --node-modules"), folder
    return Interpreter("node", Path(node)), folder


def version_of(python: Path) -> str:
    """The "major.minor" of an interpreter; "" when it does not run."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def base_python(version: str) -> Path:
    """An interpreter to make an environment of: from the PATH, or one that pyenv installed.

    Raises:
        FileNotFoundError: there is none.

    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = shutil.which(f"python{version}")
    candidates = [*sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True)]
    candidates += [Path(found)] if found else []
    for candidate in candidates:
        if version_of(candidate) == version:
            return candidate
    raise FileNotFoundError(f"no Python {version} on the PATH or in pyenv")


def _make_environment(name: str, version: str) -> Path:
    environment = cache_directory() / name
    python = environment / "bin" / "python"
    if not python.is_file():
        print(f"making {environment}", flush=True)
        subprocess.run([base_python(version), "-m", "venv", environment], check=True)
    return python


def _pip_install(python: Path, *arguments: str | Path) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], check=True)


def install(versions: list[str]) -> None:
    """Make (or bring up to date) the environments of these versions, and that of py21.

    Raises:
        FileNotFoundError: no such Python.
        subprocess.CalledProcessError: pip failed; its output says why.

    """
    for version in versions:
        python = _make_environment(f"python{version}", version)
        _pip_install(python, "-r", BENCHMARKS / "requirements.txt")
        for name in DISTRIBUTIONS:
            _pip_install(python, "--editable", PROJECT / "packages" / f"tchannel-{name}")
    python = _make_environment("py21", PY21_PYTHON)
    _pip_install(python, "setuptools<70", "wheel")  # 2.1.0 builds with pkg_resources only
    _pip_install(python, "-r", BENCHMARKS / "requirements-py21.txt")
