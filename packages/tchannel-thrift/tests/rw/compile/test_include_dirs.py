"""Include directories: what ``thrift -I`` does."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from tchannel_thrift import load, rw
from tchannel_thrift.rw import Loader

TREE = {
    "app/main.thrift": 'include "common/base.thrift"\nstruct M { 1: optional base.B b }',
    "root/common/base.thrift": 'include "common/ids.thrift"\nstruct B { 1: optional ids.Id i = 5 }',
    "root/common/ids.thrift": "typedef i32 Id",
}


def test_included_files_are_found_in_include_directories(files):
    directory = files(TREE)
    module = Loader(strict=False, include_dirs=[directory / "root"]).load(
        directory / "app/main.thrift"
    )
    assert module.M(module.base.B()).b.i == 5


def test_the_directory_of_the_including_file_comes_first_then_the_others_in_order(files):
    directory = files(
        {
            "main.thrift": 'include "a.thrift"\ninclude "b.thrift"',
            "a.thrift": "const string FROM = 'beside'",
            "one/a.thrift": "const string FROM = 'one'",
            "one/b.thrift": "const string FROM = 'one'",
            "two/b.thrift": "const string FROM = 'two'",
        }
    )
    loader = Loader(strict=False, include_dirs=[directory / "one", directory / "two"])
    module = loader.load(directory / "main.thrift")
    assert (module.a.FROM, module.b.FROM) == ("beside", "one")


def test_a_missing_file_is_said_with_all_its_places(files):
    directory = files({"main.thrift": 'include "nope.thrift"', "dir/x": ""})
    with pytest.raises(rw.ThriftCompilerError) as caught:
        Loader(strict=False, include_dirs=[directory / "dir"]).load(directory / "main.thrift")
    assert f'The file "{directory}/nope.thrift", nor "{directory}/dir/nope.thrift" does not' in str(
        caught.value
    )


def test_strict_files_say_dot_and_are_looked_for_there_too(files):
    directory = files({"app/main.thrift": 'include "./shared.thrift"', "root/shared.thrift": ""})
    loader = Loader(include_dirs=[directory / "root"])
    assert loader.load(directory / "app/main.thrift").shared


def test_modules_that_make_requests_take_include_directories(files):
    directory = files(TREE | {"app/main.thrift": f"{TREE['app/main.thrift']}\nservice S {{}}"})
    path = directory / "app/main.thrift"
    module = load(path, "svc", include_dirs=[str(directory / "root")])
    assert module.S
    assert load(path, "svc", include_dirs=[str(directory / "root")]).M is module.M
    with pytest.raises(rw.ThriftCompilerError):
        load(path, "svc")


@pytest.mark.parametrize("wrong", ["dir", b"dir"])
def test_one_path_instead_of_a_list_is_refused(wrong):
    with pytest.raises(TypeError, match="include_dirs must be a list"):
        Loader(include_dirs=wrong)
    with pytest.raises(TypeError, match="include_dirs must be a list"):
        load("service.thrift", include_dirs=wrong)


def test_another_process_finds_the_files_of_a_pickled_value_again(files):
    directory = files(TREE)
    module = Loader(strict=False, include_dirs=[directory / "root"]).load(
        directory / "app/main.thrift"
    )
    data = pickle.dumps(module.M(module.base.B(7)))
    script = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()).b.i)"
    done = subprocess.run(
        [sys.executable, "-c", script], input=data, capture_output=True, check=True
    )
    assert done.stdout == b"7\n"
