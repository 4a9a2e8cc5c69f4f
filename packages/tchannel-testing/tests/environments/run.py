"""Proves the pytest plugin beside each real plugin that runs coroutines, each in a virtual
environment of its own that holds nothing else.

usage: python run.py [--keep DIRECTORY] [--python PYTHON] [--wheels DIRECTORY] [ENVIRONMENT...]

Nothing is imported from the source tree: the distributions are installed from their wheels, those of
``--wheels`` or new ones. All else comes from wherever pip is configured to look.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE.parents[2]
DISTRIBUTIONS = ["tchannel-wire", "tchannel-core", "tchannel-hyperbahn", "tchannel-testing"]

#: What is installed beside pytest, which of the known plugins is importable then, what is run, and
#: what the settings say beside the common ones.
ENVIRONMENTS = {
    "plain": ([], "", ["check_common.py"], ""),
    "asyncio": (
        ["pytest-asyncio"],
        "pytest_asyncio",
        ["check_common.py", "check_asyncio.py"],
        "asyncio_default_fixture_loop_scope = function",
    ),
    "anyio": (["anyio"], "anyio", ["check_common.py", "check_anyio.py"], ""),
    "tornado": (
        # pytest-tornado needs pkg_resources, which newer setuptools do not have, and is old.
        ["pytest-tornado", "setuptools<80"],
        "pytest_tornado",
        ["check_common.py", "check_tornado.py"],
        """\
    ignore:The hookimpl pytest_
    ignore:pkg_resources is deprecated
    ignore:(make|clear)_current is deprecated""",
    ),
    "unittest": ([], "", ["check_unittest.py"], ""),
}

CONFTEST = '''"""Says what is expected to be installed here."""


def pytest_addoption(parser):
    parser.addini("environment_has", "the plugins expected here")
'''

# The last setting is a list, to which an environment may add.
CONFIG = """
[pytest]
python_files = check_*.py
environment_has = {has}
tchannel_leak_check = true
filterwarnings =
    error
{more}
"""


def main() -> int:
    """Run the environments; the exit status is the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=pathlib.Path, help="where environments stay")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--wheels", type=pathlib.Path, help="where the wheels are; built otherwise")
    parser.add_argument("environments", nargs="*", default=None, metavar="ENVIRONMENT")
    arguments = parser.parse_args()
    names = arguments.environments or list(ENVIRONMENTS)
    for name in names:
        if name not in ENVIRONMENTS:
            parser.error(f"{name!r} is none of {', '.join(ENVIRONMENTS)}")
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.keep or pathlib.Path(temporary)
        wheels = wheels_in(arguments.wheels or build(home / "wheels"))
        failed = [name for name in names if not run(name, home, wheels, arguments.python)]
    print("failed: " + ", ".join(failed) if failed else f"passed: {', '.join(names)}")
    return len(failed)


def build(folder: pathlib.Path) -> pathlib.Path:
    """Build the wheels of the distributions into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    pip("wheel", "--no-deps", "--wheel-dir", folder, *(PACKAGES / one for one in DISTRIBUTIONS))
    return folder


def wheels_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """The wheel of each distribution."""
    found = [
        wheel for one in DISTRIBUTIONS for wheel in folder.glob(f"{one.replace('-', '_')}-*.whl")
    ]
    if len(found) != len(DISTRIBUTIONS):
        sys.exit(f"there must be one wheel of each of {', '.join(DISTRIBUTIONS)} in {folder}")
    return found


def pip(*arguments: object) -> None:
    """Run the pip of this Python quietly."""
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*command, *map(str, arguments)], check=True)


def run(name: str, home: pathlib.Path, wheels: list[pathlib.Path], python: str) -> bool:
    """Make one environment and run its tests; whether they passed, and some ran."""
    extra, has, files, more = ENVIRONMENTS[name]
    place = home / name
    interpreter = place / "bin" / "python"
    if not interpreter.exists():
        subprocess.run([python, "-m", "venv", "--without-pip", place], check=True)
    else:
        # The same version may have other contents now.
        pip("--python", interpreter, "uninstall", "--yes", *DISTRIBUTIONS)
    pip("--python", interpreter, "install", "--no-compile", "pytest", *extra, *wheels)
    tests = place / "tests"
    shutil.rmtree(tests, ignore_errors=True)
    tests.mkdir()
    (tests / "conftest.py").write_text(CONFTEST)
    (tests / "pytest.ini").write_text(CONFIG.format(has=has, more=more))
    for file in files:
        shutil.copy(HERE / file, tests)
    print(f"-- {name}", flush=True)
    command = [interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(command, cwd=tests, check=False)
    return result.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
