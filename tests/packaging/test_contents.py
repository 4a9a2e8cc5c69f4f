"""What the built distributions hold."""

import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.parser import Parser

import pytest

# The one distribution that is no pure Python.
COMPILED = "tchannel-speedups"

# What stands beside the package: the core's voice where its package was taken away.
BESIDE = {"tchannel": {"tchannel.py"}}

# What is installed outside of the packages: the man page.
DATA = {"tchannel_tools": {"share/man/man1/tchannel.1"}}

# What tools leave in the tree, and what they are told there.
IN_THE_TREE_ONLY = {"__pycache__", ".ruff_cache", "ruff.toml"}


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def metadata_of(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(path).decode())


def test_a_wheel_is_pure_python_but_the_compiled_one(wheel, name):
    if name == COMPILED:
        tag = "cp{}{}".format(*sys.version_info)
        assert f"-{tag}-{tag}-" in wheel.name
    else:
        assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.skipif(sys.platform != "linux", reason="the tags of other systems say what they need")
@pytest.mark.parametrize("name", [COMPILED])
def test_the_compiled_wheel_needs_nothing_but_an_old_glibc(wheel):
    argv = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)

    assert re.search(r'following platform tag:\s+"manylinux_2_\d+_', done.stdout), done.stdout
    assert not re.search(r"external shared libraries.*\.so", done.stdout.partition("GLIBC")[0])


def test_a_wheel_has_the_package_and_nothing_else(wheel, package):
    names = names_in(wheel)
    data = {name.split(".data/data/")[1] for name in names if ".data/" in name}
    tops = {name.split("/")[0] for name in names if ".data/" not in name}

    assert data == DATA.get(package, set())

    beside = BESIDE.get(package, set())
    assert {top for top in tops if not top.endswith(".dist-info")} == {package} | beside
    assert len(tops) == 2 + len(beside)


def test_a_wheel_has_every_file_of_the_package(wheel, name, package, root):
    source = root / "packages" / name / "src"
    expected = {
        str(path.relative_to(source))
        for path in (source / package).rglob("*")
        if path.is_file() and not IN_THE_TREE_ONLY & set(path.parts)
    } | BESIDE.get(package, set())
    if name == COMPILED:
        # What it is made of is in the sdist; which name the compiled module has, the Python knows.
        expected = {one for one in expected if "/native/" not in one}
        expected.add(f"{package}/_native{sysconfig.get_config_var('EXT_SUFFIX')}")

    inside = {one for one in names_in(wheel) if ".dist-info/" not in one and ".data/" not in one}
    assert expected == inside


def test_a_wheel_says_that_it_is_typed(wheel, package):
    assert f"{package}/py.typed" in names_in(wheel)


def test_a_wheel_has_no_tests_and_no_caches(wheel):
    odd = re.compile(r"(^|/)(tests?|conftest\.py|__pycache__)(/|$)|\.pyc$|(^|/)\.")

    assert [name for name in names_in(wheel) if odd.search(name)] == []


def test_a_wheel_carries_the_licence(wheel):
    assert [name for name in names_in(wheel) if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_metadata_is_what_a_user_reads(wheel, name, root):
    metadata = metadata_of(wheel)

    assert metadata["Name"] == name
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    readme = (root / "packages" / name / "README.md").read_text()
    assert metadata.get_payload().strip() == readme.strip()


def test_an_sdist_has_what_is_needed_to_build_and_test(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}

    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"} <= names
    assert any(name.startswith("src/") for name in names)
    assert not any("__pycache__" in name for name in names)
