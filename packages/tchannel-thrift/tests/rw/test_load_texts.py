"""Documents that are given together: no file is read for them."""

from __future__ import annotations

import copy
import pickle

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import Loader

TEXTS = {
    "main.thrift": 'include "./sub/shared.thrift"\nstruct M { 1: optional shared.S s }',
    "sub/shared.thrift": 'include "../ids.thrift"\nstruct S { 1: optional ids.Id i = ids.FIRST }',
    "ids.thrift": "typedef i32 Id\nconst Id FIRST = 3",
}


@pytest.mark.parametrize("strict", [True, False])
def test_documents_include_each_other(strict):
    module = Loader(strict=strict).load_texts(TEXTS, "main.thrift")
    assert module.__name__ == "main"
    assert module.M(module.shared.S()).s.i == 3


def test_the_module_gets_the_name_that_is_asked_for():
    assert Loader().load_texts(TEXTS, "sub/shared.thrift", "other").__name__ == "other"


@pytest.mark.parametrize("form", ["{}", "./{}", "sub/../../{}", "file://{}"])
def test_no_file_is_read_whatever_the_path(tmp_path, monkeypatch, form):
    secret = tmp_path / "secret.thrift"
    secret.write_text('const string SECRET = "taken"')
    monkeypatch.chdir(tmp_path)
    for path in (str(secret), "secret.thrift"):
        text = f'include "{form.format(path)}"\nstruct S {{ 1: optional string s = secret.SECRET }}'
        with pytest.raises(rw.ThriftCompilerError, match=r"Cannot include .*does not exist"):
            Loader(strict=False, include_dirs=[tmp_path]).load_texts(
                {"main.thrift": text}, "main.thrift"
            )


def test_the_entry_point_itself_is_no_file_either(tmp_path, monkeypatch):
    (tmp_path / "main.thrift").write_text("struct S {}")
    monkeypatch.chdir(tmp_path)
    for path in ("main.thrift", str(tmp_path / "main.thrift")):
        with pytest.raises(FileNotFoundError):
            Loader().load_texts({}, path)


def test_files_that_were_loaded_are_not_those_of_that_name(files):
    loader = Loader(strict=False)
    path = files({"shared.thrift": "struct Local {}"}) / "shared.thrift"
    loader.load(path)
    with pytest.raises(rw.ThriftCompilerError, match="does not exist"):
        loader.load_texts({"main.thrift": f'include "{path}"'}, "main.thrift")


def test_texts_are_not_kept():
    loader = Loader()
    first = loader.load_texts(TEXTS, "main.thrift")
    assert loader.load_texts(TEXTS, "main.thrift") is not first


def test_errors_name_the_document():
    texts = {**TEXTS, "ids.thrift": "struct S {"}
    with pytest.raises(rw.ThriftParserError, match=r"^ids.thrift:1:") as caught:
        Loader().load_texts(texts, "main.thrift")
    assert caught.value.path == "ids.thrift"


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError, match=r"not bytes by 'main\.thrift'"):
        Loader().load_texts({"main.thrift": b""}, "main.thrift")


def test_values_are_pickled_and_copied_within_the_process():
    module = Loader().load_texts(TEXTS, "main.thrift")
    value = module.M(module.shared.S(5))
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value
