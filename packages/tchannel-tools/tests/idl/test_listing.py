"""Signatures and types as text."""

import pytest

from tchannel_tools._idl.interface import load_file
from tchannel_tools._idl.listing import describe, list_services
from tchannel_tools._terminal.failures import ToolError

SHARED = """
typedef map<string, list<i32>> Table
exception Gone { 1: optional string why = "because" }
service Base { void ping() }
"""
OWN = """
include "shared.thrift"
enum Colour { RED, GREEN = 5 }
const map<string, i32> SIZES = {"a": 1}
const bool YES = true
const list<Colour> BOTH = [Colour.RED, Colour.GREEN]
struct Point { 1: required i32 x, 2: optional Colour colour = Colour.RED }
union Either { 1: string text }
service Own extends shared.Base {
    shared.Table find(1: required set<string> names) throws (1: shared.Gone gone)
    oneway void shout(1: string text)
}
"""


@pytest.fixture
def interface(tmp_path):
    (tmp_path / "shared.thrift").write_text(SHARED)
    (tmp_path / "own.thrift").write_text(OWN)
    return load_file(tmp_path / "own.thrift", strict=False)


def test_services_are_listed_with_the_signatures_of_their_methods(interface):
    assert list_services(interface).splitlines() == [
        "Own",
        "  void Own::ping()",
        "  shared.Table Own::find(1: required set<string> names) throws (1: shared.Gone gone)",
        "  oneway void Own::shout(1: string text)",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "Point",
            "struct Point {\n  1: required i32 x\n  2: optional Colour colour = Colour.RED\n}",
        ),
        ("Either", "union Either {\n  1: string text\n}"),
        ("Colour", "enum Colour {\n  RED\n  GREEN = 5\n}"),
        ("shared.Gone", 'exception Gone {\n  1: optional string why = "because"\n}'),
        ("Gone", 'exception Gone {\n  1: optional string why = "because"\n}'),
        ("shared.Table", "typedef map<string, list<i32>> Table"),
        ("SIZES", 'const map<string, i32> SIZES = {"a": 1}'),
        ("YES", "const bool YES = true"),
        ("BOTH", "const list<Colour> BOTH = [Colour.RED, Colour.GREEN]"),
        ("Own::ping", "void Own::ping()"),
    ],
)
def test_a_name_is_described_as_the_idl_writes_it(interface, name, text):
    assert describe(interface, name) == text


def test_a_service_is_described_by_its_methods(interface):
    assert describe(interface, "Own").splitlines()[:2] == ["service Own", "  void Own::ping()"]


def test_a_wrong_name_is_answered_with_the_nearest(interface):
    with pytest.raises(ToolError, match="the IDL has no 'Pint': did you mean Point"):
        describe(interface, "Pint")


def test_an_idl_without_services_has_nothing_to_list(tmp_path):
    path = tmp_path / "types.thrift"
    path.write_text("struct S {}")

    with pytest.raises(ToolError, match="has no service"):
        list_services(load_file(path, strict=False))


def test_services_of_files_with_odd_names_are_listed_with_what_they_inherit(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "main.thrift").write_text(
        'include "ns.types.thrift"\ninclude "one/shared.thrift"\ninclude "shared.thrift"\n'
        "const i32 shared = 1\n"
        "service S extends ns.types.B {}\nservice T extends shared.C {}"
    )
    (tmp_path / "ns.types.thrift").write_text("service B { void f() }")
    (tmp_path / "one/shared.thrift").write_text("service C { void wrong() }")
    (tmp_path / "shared.thrift").write_text("service C { void g() }")
    interface = load_file(tmp_path / "main.thrift", strict=False)
    assert list_services(interface) == "S\n  void S::f()\n\nT\n  void T::g()"
