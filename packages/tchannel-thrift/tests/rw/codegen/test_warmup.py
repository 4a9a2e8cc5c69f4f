"""Code is generated for types that are used often, or for large values."""

import pytest

from tchannel_thrift.rw.codegen import warmup
from tchannel_thrift.rw.codegen.decoder import LOADER_ATTRIBUTE
from tchannel_thrift.rw.codegen.encoder import DUMPER_ATTRIBUTE


@pytest.fixture(autouse=True)
def usual(uses, monkeypatch):
    monkeypatch.setattr(warmup, "USES", 4)


@pytest.fixture
def module(compiled):
    return compiled(
        "struct S { 1: optional string s 2: optional list<i32> l 3: optional map<i32, S> m }"
    )


def generated(cls):
    names = ("__init__", DUMPER_ATTRIBUTE, LOADER_ATTRIBUTE)
    return [name for name in names if name in cls.__dict__]


def test_first_uses_need_no_generated_code(module):
    for _ in range(warmup.USES):
        value = module.S("x")
        assert repr(module.loads(module.S, module.dumps(value))) == repr(value)
    assert generated(module.S) == []
    value = module.S("x")
    assert module.loads(module.S, module.dumps(value)) == value
    assert generated(module.S) == ["__init__", DUMPER_ATTRIBUTE, LOADER_ATTRIBUTE]


@pytest.mark.parametrize(
    "value",
    [
        {"l": list(range(1000))},
        {"m": {}},
    ],
)
def test_large_or_nested_values_are_written_by_generated_code_at_once(module, value):
    module.dumps(module.S(**value))
    assert DUMPER_ATTRIBUTE in generated(module.S)


@pytest.mark.parametrize("by_name", [False, True])
def test_large_arguments_are_checked_by_generated_code_at_once(module, by_name):
    large = list(range(1000))
    assert (module.S(l=large) if by_name else module.S("x", large)).l is large
    assert generated(module.S) == ["__init__"]


def test_large_payloads_are_read_by_generated_code_at_once(module):
    payload = b"\x0b\0\1\0\0\x10\0" + b"x" * 0x1000 + b"\0"
    assert module.loads(module.S, payload).s == "x" * 0x1000
    assert generated(module.S) == [LOADER_ATTRIBUTE]


def test_errors_of_the_first_uses_are_the_same(module):
    value = module.S("x")
    value.s = 5
    for _ in range(2 * warmup.USES):
        with pytest.raises(TypeError, match="Field s of S"):
            module.dumps(value)
        with pytest.raises(UnicodeDecodeError, match="Field s of S"):
            module.loads(module.S, b"\x0b\0\1\0\0\0\1\xff\0")
