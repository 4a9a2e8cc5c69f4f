"""The packages imported from a zip archive: the Thrift files that they ship are found in it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tchannel
import tchannel_thrift
import tchannel_wire
from tchannel_thrift.__main__ import main

SCRIPT = """
import tchannel_thrift
from tchannel_thrift import meta
from tchannel_thrift.idl_texts import collect
assert ".zip" in tchannel_thrift.__file__, tchannel_thrift.__file__
print(meta.HealthStatus(ok=True))
print(sorted(collect([meta.meta._module]).texts))
from made import service
print(service.S(service.other.O(5)).o.n)
"""


@pytest.fixture
def archive(tmp_path):
    """An archive of our packages, and of one that the stubs command wrote."""
    (tmp_path / "service.thrift").write_text(
        'include "other.thrift"\nstruct S { 1: other.O o }\nservice V { void f() }'
    )
    (tmp_path / "other.thrift").write_text("struct O { 1: i32 n }")
    options = ["--package", str(tmp_path / "made"), "--service", "svc"]
    assert main(["stubs", str(tmp_path / "service.thrift"), *options]) == 0
    folders = [Path(one.__file__).parent for one in (tchannel, tchannel_thrift, tchannel_wire)]
    path = tmp_path / "packages.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for folder in (*folders, tmp_path / "made"):
            for file in folder.rglob("*"):
                if file.suffix in {".py", ".thrift"}:
                    opened.write(file, file.relative_to(folder.parent))
    return path


def test_the_files_that_packages_ship_are_found(archive):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "HealthStatus({'ok': True, 'message': None, 'state': None})",
        "['meta.thrift']",
        "5",
    ]
