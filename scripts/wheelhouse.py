"""Collect the wheels that test environments are made of, for each Python that runs here.

Usage: ``python scripts/wheelhouse.py build/wheels 3.11 3.12 3.13``

Downloaded, and where need be built, they lie in ``build/wheels/3.11`` and so on. The many environments
of ``make test-all`` and ``make test-plugins`` are installed from there without a look at an index: so
all of them get the same versions, and each takes a second. Our own distributions are not among them,
only what they need. A Python that is not here is left out, and so is what can do without, when it
cannot be built.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = (
    "test.txt",
    "test-repo.txt",
    "test-thrift.txt",
    "test-yarpc.txt",
    "test-observe.txt",
    "test-plugins.txt",
)
OPTIONAL = ("test-thriftrw.txt",)
# Installed without what it needs, which no Python of today has.
ALONE = ("test-packaging.txt",)


def needs() -> list[str]:
    """What the distributions and their extras require, without each other."""
    projects = [
        tomllib.loads(path.read_text())["project"]
        for path in sorted(ROOT.glob("packages/*/pyproject.toml"))
    ]
    siblings = {project["name"] for project in projects}
    found: set[str] = set()
    for project in projects:
        found.update(project["dependencies"])
        for extra in project.get("optional-dependencies", {}).values():
            found.update(extra)
    return sorted(line for line in found if re.split(r"[^\w-]", line)[0] not in siblings)


def python(version: str) -> str | None:
    """The interpreter of that version, if there is one."""
    argv = [str(ROOT / "scripts" / "find-python"), version]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() or None


def collect(interpreter: str, folder: Path, *requirements: str) -> subprocess.Popen[bytes]:
    """Begin to fill a folder with the wheels for one Python."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", interpreter]
    argv = [*pip, "wheel", "--quiet", "--wheel-dir", str(folder), *requirements]
    return subprocess.Popen(argv)


def files(names: tuple[str, ...]) -> list[str]:
    """The arguments of pip for files of requirements."""
    return [word for name in names for word in ("--requirement", str(ROOT / "requirements" / name))]


def main(place: Path, versions: list[str]) -> int:
    """Collect for all versions at once; the number of those that failed."""
    shutil.rmtree(place, ignore_errors=True)
    here = {version: found for version in versions if (found := python(version)) is not None}
    running = {
        version: collect(interpreter, place / version, *needs(), *files(REQUIREMENTS))
        for version, interpreter in here.items()
    }
    extra = {
        version: collect(interpreter, place / version, *files(OPTIONAL))
        for version, interpreter in here.items()
    }
    alone = [
        (version, collect(interpreter, place / version, "--no-deps", *files(ALONE)))
        for version, interpreter in here.items()
    ]
    failed = [version for version, process in [*running.items(), *alone] if process.wait()]
    without = [version for version, process in extra.items() if process.wait()]
    for version in running:
        line = f"Python {version}: {len(list((place / version).glob('*.whl')))} wheels"
        line += ", failed" if version in failed else ""
        line += ", without the optional ones" if version in without else ""
        sys.stdout.write(f"{line}\n")
    return len(failed)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
