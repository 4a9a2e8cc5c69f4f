"""Thrift files as modules."""

import importlib
import subprocess
import sys

import pytest

from tchannel import TChannel, thrift
from tchannel_thrift import RequestBuilder, TChannelThriftModule, load, rw


@pytest.fixture
def path(idl):
    return idl / "keyvalue.thrift"


def test_a_module_has_the_types_constants_and_includes_of_the_file(path):
    module = load(path, service="keyvalue")

    assert isinstance(module, TChannelThriftModule)
    assert module.NotFound(key="a").key == "a"
    assert module.Colour.GREEN == 2
    assert module.shared.Point(1, 2).y == 2
    assert {"NotFound", "Colour", "KeyValue", "shared", "dumps"} <= set(dir(module))
    assert module.loads(module.NotFound, module.dumps(module.NotFound("a"))).key == "a"
    with pytest.raises(AttributeError, match="'keyvalue' has no attribute 'Nope'"):
        _ = module.Nope


def test_its_services_make_requests(path):
    module = load(path, service="keyvalue", hostport="127.0.0.1:4040")

    request = module.KeyValue.getValue("a")

    assert isinstance(module.KeyValue, RequestBuilder)
    assert (request.service, request.hostport) == ("keyvalue", "127.0.0.1:4040")
    assert request.endpoint == "KeyValue::getValue"


def test_without_a_service_requests_are_refused_and_handlers_are_not(path):
    module = load(path)
    channel = TChannel("server")

    channel.thrift.register(module.KeyValue, lambda request: "", "getValue")

    with pytest.raises(ValueError, match="no service to call is known; give service="):
        module.KeyValue.getValue("a")


def test_a_file_is_loaded_once(path):
    first, second = load(path, service="one"), load(str(path), service="two")

    assert first.NotFound is second.NotFound
    assert (first.service, second.service) == ("one", "two")
    assert first.KeyValue.nothing().service == "one"


def test_the_path_is_relative_to_the_current_directory(path, monkeypatch):
    monkeypatch.chdir(path.parent)

    assert load("keyvalue.thrift").NotFound is load(path).NotFound


def test_the_order_of_arguments_of_old_releases_works(path):
    module = load("keyvalue-service", str(path))

    assert module.service == "keyvalue-service"
    assert module.KeyValue.nothing().service == "keyvalue-service"


def test_the_module_name_may_be_given(tmp_path):
    file = tmp_path / "a.thrift"
    file.write_text("struct S {}")

    assert load(file, module_name="my.module").__name__ == "my.module"


def test_loading_is_lenient_unless_told_otherwise(tmp_path):
    file = tmp_path / "lenient.thrift"
    file.write_text("exception E { 1: string key }\nstruct S { string noId }")

    assert load(file).E("a").key == "a"
    with pytest.raises(rw.ThriftError):
        load(file, strict=True)


def test_strict_loading_takes_what_thriftrw_takes(path):
    assert load(path, strict=True).NotFound("a").key == "a"


def test_a_wrong_file_says_where(tmp_path):
    file = tmp_path / "wrong.thrift"
    file.write_text("struct S {\n  1: string\n}\n")

    with pytest.raises(rw.ThriftParserError, match=r"wrong.thrift"):
        load(file)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.thrift")


def test_names_of_the_file_win_over_those_of_the_module(tmp_path):
    (tmp_path / "service.thrift").write_text("struct S {}")
    file = tmp_path / "names.thrift"
    file.write_text('include "service.thrift"\nconst i32 hostport = 5\nservice V { void f() }')

    module = load(file, service="s", hostport="127.0.0.1:4040")

    assert (module.service.S(), module.hostport) == (module.service.S(), 5)
    request = module.V.f()
    assert (request.service, request.hostport) == ("s", "127.0.0.1:4040")


def test_the_error_for_a_misspelt_name_lets_python_suggest_the_right_one(path):
    with pytest.raises(AttributeError) as caught:
        _ = load(path).NotFoumd
    assert caught.value.name == "NotFoumd"
    assert "NotFound" in dir(caught.value.obj)


def test_a_module_says_what_it_is(path):
    assert repr(load(path, service="s")).startswith("TChannelThriftModule('s', <module 'keyvalue'")
    assert load(path, service="s").__name__ == "keyvalue"


def test_it_is_found_where_the_document_has_it():
    assert thrift.load is load


@pytest.mark.parametrize(
    ("module", "instead"),
    [("reflection", "__services__"), ("serializer", r"channel\.thrift")],
)
def test_the_insides_of_the_old_layer_say_what_to_write_instead(module, instead):
    with pytest.raises(ImportError, match=instead):
        importlib.import_module(f"tchannel.thrift.{module}")


def test_modules_load_by_the_attribute_of_the_package(tmp_path):
    (tmp_path / "a.thrift").write_text("service A { void f() }")
    code = f"import tchannel; print(tchannel.thrift.load({str(tmp_path / 'a.thrift')!r}).A.f)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, check=True
    )

    assert b"f" in done.stdout
