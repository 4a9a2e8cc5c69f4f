"""Asking a service for its IDL."""

import threading
from pathlib import Path

import pytest

from tchannel_tools._calling.reflection import _in_time
from tchannel_tools._idl.interface import load_texts
from tchannel_tools._terminal.failures import ToolError


def load(texts, entry_point="a.thrift"):
    return load_texts(texts, entry_point, "the IDL that svc tells", strict=False)


def test_texts_that_include_each_other_are_one_interface():
    interface = load(
        {
            "a/own.thrift": 'include "../b/base.thrift"\nservice Own extends base.Base {}',
            "b/base.thrift": "service Base { void ping() }",
        },
        "a/own.thrift",
    )

    assert list(interface.endpoints()) == ["Own::ping"]


def test_a_service_reads_no_file_of_ours_whatever_it_includes(tmp_path, monkeypatch):
    secret = tmp_path / "secret.thrift"
    secret.write_text('const string SECRET = "taken"')
    monkeypatch.chdir(tmp_path)
    for path in (secret, "secret.thrift", "../secret.thrift", f"x/../../..{secret}"):
        text = f'include "{path}"\nservice S {{ void f(1: string s = secret.SECRET) }}'
        with pytest.raises(ToolError, match="Cannot include"):
            load({"a/b.thrift": text}, "a/b.thrift")


def test_what_a_service_calls_its_files_is_no_matter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("/etc/own.thrift", "../own.thrift", "a/../../own.thrift", "a\0.thrift", "."):
        assert list(load({name: "service S { void f() }"}, name).endpoints()) == ["S::f"]
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_refused_soon():
    doubles = [f"typedef map<T{n - 1}, T{n - 1}> T{n}" for n in range(1, 40)]
    with pytest.raises(ToolError, match="more than 1000 parts"):
        load({"a.thrift": "\n".join(["typedef i32 T0", *doubles])})


async def test_loading_has_what_is_left_of_the_time():
    waiting = threading.Event()
    try:
        with pytest.raises(ToolError, match=r"the IDL could not be read within .* --timeout"):
            await _in_time(waiting.wait, 0.01, "the IDL")
        with pytest.raises(ToolError, match="--timeout"):
            await _in_time(waiting.wait, -1.0, "the IDL")
    finally:
        waiting.set()
    assert await _in_time(lambda: "loaded", 60.0, "the IDL") == "loaded"

    def fail():
        raise ToolError("wrong")

    with pytest.raises(ToolError, match="wrong"):
        await _in_time(fail, 60.0, "the IDL")


async def test_what_a_service_tells_is_printed_without_what_a_terminal_obeys(tcurl, service):
    from tchannel_thrift.meta import Meta, ThriftIDLs

    text = 'service S { void f(1: string s = "\x1b[31m\x9b\u202ered\\n\\"") }'

    @service.thrift.register(Meta)
    def thriftIDL(request):
        return ThriftIDLs({"a.thrift": text}, "a.thrift")

    for option in (("--list",), ("--describe", "S::f")):
        ran = await tcurl("-p", service.hostport, "keyvalue-server", *option)
        assert r'"\x1b[31m\x9b\u202ered\n\""' in ran.out
        assert all(char.isprintable() for char in ran.out.replace("\n", ""))


def test_the_first_file_must_be_there():
    with pytest.raises(ToolError, match=r"has no file 'a\.thrift'"):
        load({})


def test_a_mistake_is_told_without_the_place_where_it_was_written():
    with pytest.raises(ToolError) as caught:
        load({"a.thrift": "struct {"})

    assert str(caught.value).startswith("the IDL that svc tells: a.thrift:1:8: ")


async def test_methods_are_listed_as_the_service_tells_them(tcurl, keyvalue):
    ran = await tcurl("-p", keyvalue.hostport, "keyvalue-server", "--list")

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "KeyValue",
        "  string KeyValue::getValue(1: string key) throws (1: NotFoundError notFound)",
        "  void KeyValue::setValue(1: string key, 2: string value)",
    ]


async def test_a_type_is_described_as_the_service_tells_it(tcurl, keyvalue):
    ran = await tcurl("-p", keyvalue.hostport, "keyvalue-server", "--describe", "NotFoundError")

    assert ran.out == "exception NotFoundError {\n  1: string key\n}\n"


async def test_a_call_needs_no_thrift_file(tcurl, keyvalue):
    p = ("-p", keyvalue.hostport, "keyvalue-server")

    stored = await tcurl(*p, "KeyValue::setValue", '{"key": "a", "value": "b"}')
    read = await tcurl(*p, "KeyValue::getValue", "[", "--key", "a", "]")

    assert (stored.code, read.code) == (0, 0)
    assert read.json["body"] == "b"


async def test_a_wrong_endpoint_is_answered_with_the_nearest(tcurl, keyvalue):
    ran = await tcurl("-p", keyvalue.hostport, "keyvalue-server", "KeyValue::getValu")

    assert ran.code == 125
    assert "did you mean KeyValue::getValue" in ran.err


async def test_a_service_that_does_not_tell_its_idl_is_called_with_a_file(tcurl, service):
    ran = await tcurl("-p", service.hostport, "keyvalue-server", "--list")

    assert (ran.code, ran.out) == (125, "")
    assert "does not tell its IDL, so give the file with -t" in ran.err


async def test_a_service_that_tells_of_nothing_but_meta_is_called_with_a_file(tcurl, service):
    import tchannel_thrift
    from tchannel import thrift

    meta = Path(tchannel_thrift.__file__).with_name("meta.thrift")
    module = thrift.load(meta, service="keyvalue-server")

    @service.thrift.register(module.Meta)
    def thriftIDL(request):
        return module.ThriftIDLs({"meta.thrift": meta.read_text()}, "meta.thrift")

    ran = await tcurl("-p", service.hostport, "keyvalue-server", "KeyValue::getValue")

    assert ran.code == 125
    assert "keyvalue-server tells of nothing but Meta, so give the file with -t" in ran.err


async def test_an_answer_that_is_no_idl_is_told(tcurl, service):
    from tchannel._serving.endpoints import Endpoint

    service.endpoints.add(
        "Meta::thriftIDL", Endpoint("thrift", lambda request: None, None, lambda r: (0, b"", b"{}"))
    )

    ran = await tcurl("-p", service.hostport, "keyvalue-server", "A::b")

    assert ran.code == 125
    assert "tells its IDL in a way of its own" in ran.err
