"""Thrift files, and what they offer by name."""

import pytest

from tchannel_tools._idl.interface import find_file, load_file
from tchannel_tools._terminal.failures import ToolError


def test_functions_are_found_by_endpoint_inherited_ones_too(tmp_path):
    (tmp_path / "base.thrift").write_text("service Base { void ping() }")
    path = tmp_path / "own.thrift"
    path.write_text('include "base.thrift"\nservice Own extends base.Base { i32 get() }')

    interface = load_file(path, strict=False)

    assert list(interface.endpoints()) == ["Own::ping", "Own::get"]
    assert interface.function("Own::ping").name == "ping"


@pytest.mark.parametrize(
    ("endpoint", "near"),
    [
        ("KeyValue::getvalue", "did you mean KeyValue::getValue"),
        ("getValue", "did you mean KeyValue::getValue"),
        ("keyvalue-server::setValu", "did you mean KeyValue::setValue"),
        ("Other::thing", "it has KeyValue::getValue, KeyValue::setValue"),
    ],
)
def test_a_wrong_endpoint_is_answered_with_the_nearest(guide_idl, endpoint, near):
    with pytest.raises(ToolError) as caught:
        load_file(guide_idl, strict=False).function(endpoint)

    assert f"the IDL has no endpoint {endpoint!r}: {near}" in str(caught.value)


def test_a_oneway_function_cannot_be_called(tmp_path):
    path = tmp_path / "oneway.thrift"
    path.write_text("service S { oneway void shout() }")

    with pytest.raises(ToolError, match="S::shout is oneway"):
        load_file(path, strict=False).function("S::shout")


def test_the_guides_file_is_read_unless_it_is_read_strictly(guide_idl):
    assert load_file(guide_idl, strict=False).services().keys() == {"KeyValue"}
    with pytest.raises(ToolError, match=rf"{guide_idl}:\d+:\d+: .*requiredness"):
        load_file(guide_idl, strict=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("struct S {\n  1: i32\n}", r"bad\.thrift:3:1: "),
        ("struct S {\n  1: Nosuch n\n}", r"bad\.thrift:2:6: "),
        ('include "nosuch.thrift"', r"bad\.thrift:1:"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_line_and_column(tmp_path, text, message):
    path = tmp_path / "bad.thrift"
    path.write_text(text)

    with pytest.raises(ToolError, match=message) as caught:
        load_file(path, strict=False)

    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    latin = tmp_path / "latin.thrift"
    latin.write_bytes(b"// \xe9")

    with pytest.raises(
        ToolError, match=r"cannot read the Thrift file .*none\.thrift: No such file"
    ):
        load_file(tmp_path / "none.thrift", strict=False)
    with pytest.raises(ToolError, match=r"latin\.thrift is not UTF-8 at byte 3"):
        load_file(latin, strict=False)


def test_in_a_folder_the_file_is_that_of_the_service_or_the_only_one(tmp_path):
    one, two = tmp_path / "one.thrift", tmp_path / "two.thrift"
    one.touch()

    assert find_file(str(one), "svc") == one
    assert find_file(str(tmp_path), "svc") == one
    two.touch()
    assert find_file(str(tmp_path), "two") == two
    with pytest.raises(ToolError, match=r"has no svc\.thrift, but one\.thrift, two\.thrift"):
        find_file(str(tmp_path), "svc")


def test_included_files_are_found_in_include_directories(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "main.thrift").write_text('include "base.thrift"\nservice S extends base.B {}')
    (tmp_path / "root/base.thrift").write_text("service B { void f() }")
    with pytest.raises(ToolError, match="Cannot include"):
        load_file(tmp_path / "main.thrift", strict=False)
    interface = load_file(tmp_path / "main.thrift", strict=False, include_dirs=[tmp_path / "root"])
    assert list(interface.endpoints()) == ["S::f"]
