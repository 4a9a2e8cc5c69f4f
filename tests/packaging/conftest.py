"""What the tests of the built distributions share: the wheels and sdists, built once for the run."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
IMPORTS = {
    "tchannel-wire": "tchannel_wire",
    "tchannel-core": "tchannel",
    "tchannel-thrift": "tchannel_thrift",
    "tchannel-hyperbahn": "tchannel_hyperbahn",
    "tchannel-testing": "tchannel_testing",
    "tchannel-tools": "tchannel_tools",
    "tchannel-yarpc": "tchannel_yarpc",
    "tchannel-observe": "tchannel_observe",
    "tchannel-speedups": "tchannel_speedups",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.packaging)


@pytest.fixture(params=IMPORTS)
def name(request: pytest.FixtureRequest) -> str:
    """The name of each distribution in turn."""
    found: str = request.param
    return found


@pytest.fixture
def package(name: str) -> str:
    """What the distribution imports as."""
    return IMPORTS[name]


@pytest.fixture(scope="session")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdists, and the wheels that were built from them."""
    folder = tmp_path_factory.mktemp("built")
    for name in IMPORTS:
        argv = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
        done = subprocess.run(
            [*argv, str(root / "packages" / name)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def wheel(built: Path, name: str) -> Path:
    """The distribution's wheel."""
    (found,) = built.glob(f"{name.replace('-', '_')}-*.whl")
    return found


@pytest.fixture
def sdist(built: Path, name: str) -> Path:
    """The distribution's sdist."""
    (found,) = built.glob(f"{name.replace('-', '_')}-*.tar.gz")
    return found
