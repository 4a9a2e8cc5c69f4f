"""Thrift files within zip archives, from which Python imports packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import Loader


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "app.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(
            "app/__init__.py", "from tchannel_thrift import rw\nrw.install('main.thrift')"
        )
        opened.writestr(
            "app/main.thrift", 'include "./sub/a.thrift"\r\nstruct M { 1: required a.A a }'
        )
        opened.writestr("app/sub/a.thrift", "struct A { 1: required i32 n }")
        opened.writestr("app/wrong.thrift", 'include "./nope.thrift"')
        opened.writestr("app/latin.thrift", "// \u00e9".encode("latin-1"))
    return path


@pytest.mark.parametrize("strict", [True, False])
def test_a_file_is_loaded_with_what_it_includes(archive, strict):
    module = Loader(strict=strict).load(archive / "app/main.thrift")
    assert module.M(module.a.A(5)).a.n == 5
    assert "\r" not in module.__thrift_source__


def test_what_is_not_in_the_archive_is_said_as_for_files(archive):
    with pytest.raises(FileNotFoundError, match=r"app\.zip/app/none\.thrift"):
        Loader().load(archive / "app/none.thrift")
    with pytest.raises(rw.ThriftCompilerError, match=r"nope\.thrift.* does not exist"):
        Loader().load(archive / "app/wrong.thrift")
    with pytest.raises(UnicodeDecodeError, match=r"latin\.thrift is not"):
        Loader().load(archive / "app/latin.thrift")


def test_a_file_that_is_no_archive_has_no_files_in_it(tmp_path):
    (tmp_path / "plain.txt").write_text("text")
    with pytest.raises(FileNotFoundError):
        Loader().load(tmp_path / "plain.txt" / "main.thrift")


def test_a_zipped_package_installs_its_file(archive):
    script = "from app import main; print(main.M(main.a.A(7)).a.n)"
    environment = {"PYTHONPATH": str(archive)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("7\n", "")
