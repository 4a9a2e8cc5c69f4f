"""What importing the package costs, and what it gives."""

import importlib
import subprocess
import sys

import pytest

import tchannel_thrift
from tchannel_thrift import rw


def loaded_by(statement):
    """The modules of interest that a statement loads in a fresh interpreter."""
    script = (
        f"import sys\n{statement}\n"
        "names = {'tornado', 'tchannel', 'asyncio', 'thrift', 'thriftrw'}\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("statement", ["import tchannel_thrift", "from tchannel_thrift import rw"])
def test_the_package_and_the_engine_load_nothing_of_tchannel(statement):
    assert loaded_by(statement) == []


def test_the_scheme_loads_no_other_thrift():
    assert not {"thrift", "thriftrw"} & set(loaded_by("import tchannel_thrift.scheme"))


def test_every_public_name_is_there():
    for name in tchannel_thrift.__all__:
        assert getattr(tchannel_thrift, name) is not None
    assert set(tchannel_thrift.__all__) <= set(dir(tchannel_thrift))


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="'tchannel_thrift' has no attribute 'nope'"):
        _ = tchannel_thrift.nope


def test_the_engine_knows_the_version_of_the_distribution():
    assert rw.__version__ == tchannel_thrift.__version__
    with pytest.raises(AttributeError, match=r"'tchannel_thrift.rw' has no attribute 'nope'"):
        _ = rw.nope


def test_importing_again_gives_the_same():
    assert importlib.import_module("tchannel_thrift").load is tchannel_thrift.load
