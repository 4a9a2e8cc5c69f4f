"""Unions: contract section 8."""

import pytest

from tchannel_thrift import rw


@pytest.fixture
def module(compiled):
    return compiled("union U { 1: i32 number 2: optional string text } union Empty {}")


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {}, "did not receive any values. Exactly one non-None value is required."),
        ((), {"number": None}, "did not receive any values"),
        ((), {"number": 1, "text": "a"}, 'received multiple values, "number" and "text"'),
        ((1,), {}, r"does not accept any positional arguments \(1 given\)"),
        ((), {"nope": 1}, 'unexpected keyword argument "nope"'),
        ((), {"number": "a"}, "Field number of U is invalid"),
    ],
)
def test_exactly_one_value_by_keyword(module, args, kwargs, text):
    with pytest.raises(TypeError, match=text):
        module.U(*args, **kwargs)


@pytest.mark.parametrize("values", [{"number": 0}, {"number": 5}, {"text": ""}, {"text": "a"}])
def test_value_survives_and_the_others_are_none(module, values):
    value = module.U(**values)
    again = module.loads(module.U, module.dumps(value))
    assert again == value
    assert {again.number, again.text} == {None, *values.values()}


def test_repr_shows_the_value_alone(module):
    assert repr(module.U(text="a")) == "U({'text': 'a'})"


def test_out_of_range(module):
    with pytest.raises(rw.OutOfRangeError, match="Field number of U"):
        module.U(number=1 << 31)


def test_first_declared_value_is_written_after_a_change(module):
    value = module.U(text="a")
    value.number = 5
    assert module.dumps(value) == b"\x08\0\1\0\0\0\5\0"
    value.number = "wrong"
    with pytest.raises(TypeError, match="Field number of U"):
        module.dumps(value)


def test_from_primitive_takes_the_first_declared(module):
    assert module.U.from_primitive({"text": "a", "number": 1}) == module.U(number=1)
    with pytest.raises(TypeError):
        module.U.from_primitive({})


def test_empty_union_takes_nothing(module):
    assert module.dumps(module.Empty()) == b"\0"
    assert module.loads(module.Empty, b"\0") == module.Empty()
    with pytest.raises(TypeError):
        module.Empty(x=1)


@pytest.mark.parametrize(
    "field", ["required string a", 'string a = "x"', 'optional string a = "x"']
)
def test_required_and_default_are_refused(compiled, field):
    with pytest.raises(rw.ThriftCompilerError, match='Field "a" of union "U" on line 1'):
        compiled(f"union U {{ 1: {field} }}")


def test_docstring_lists_the_fields(module):
    assert module.U.__doc__.startswith("U(number=None, text=None)\n\nU is a union")


def test_unknown_field_beside_the_value_is_skipped(module):
    payload = b"\x0b\0\x09\0\0\0\1x\x08\0\1\0\0\0\5\x0b\0\x09\0\0\0\1x\0"
    assert module.loads(module.U, payload) == module.U(number=5)
