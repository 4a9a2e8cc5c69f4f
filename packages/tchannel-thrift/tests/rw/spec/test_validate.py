"""``type_spec.validate``: what it says about instances whose values were set afterwards."""

from __future__ import annotations

import pytest

DOCUMENT = """
struct X { 1: required string foo 2: optional i16 n }
struct Y { 1: optional X x 2: optional list<X> xs 3: optional map<string, X> m }
union U { 1: string a 2: i16 b }
exception E { 1: required string why }
service V { i32 f(1: required i32 a) throws (1: E e) }
"""


@pytest.fixture
def module(compiled):
    return compiled(DOCUMENT)


def changed(value, **values):
    for name, item in values.items():
        setattr(value, name, item)
    return value


def test_what_is_right_passes(module):
    for value in (
        module.X("a", 3),
        module.Y(module.X("a"), [module.X("b")], {"c": module.X("d")}),
        module.U(b=1),
        module.E("why"),
        module.V.f.request(1),
        module.V.f.response(success=1),
    ):
        value.type_spec.validate(value)


def test_a_required_field_that_is_none(module):
    for value in (changed(module.X("a"), foo=None), changed(module.E("a"), why=None)):
        with pytest.raises(TypeError, match=r"is required\. It cannot be None"):
            value.type_spec.validate(value)
    with pytest.raises(TypeError, match='Field "a" of "V_f_request" is required'):
        module.V.f.request.type_spec.validate(changed(module.V.f.request(1), a=None))


def test_a_value_out_of_range_or_of_another_type(module):
    with pytest.raises(ValueError, match=r"Field n of X is invalid.*does not fit in an i16"):
        module.X.type_spec.validate(changed(module.X("a"), n=10**12))
    with pytest.raises(TypeError, match="Field n of X is invalid: Cannot serialize 'text'"):
        module.X.type_spec.validate(changed(module.X("a"), n="text"))
    with pytest.raises(TypeError, match="Cannot serialize 5"):
        module.X.type_spec.validate(5)


def test_a_union_of_two_fields_or_none(module):
    with pytest.raises(TypeError, match='received multiple values, "a" and "b"'):
        module.U.type_spec.validate(changed(module.U(a="a"), b=3))
    with pytest.raises(TypeError, match="did not receive any values"):
        module.U.type_spec.validate(changed(module.U(a="a"), a=None))
    with pytest.raises(TypeError, match="did not receive any values"):
        module.V.f.response.type_spec.validate(
            changed(module.V.f.response(success=1), success=None)
        )


def test_structs_within_containers_are_looked_at_and_those_of_fields_are_not(module):
    wrong = changed(module.X("a"), n="text")
    module.Y.type_spec.validate(module.Y(wrong))  # as in thriftrw
    for value in (module.Y(xs=[wrong]), module.Y(m={"k": wrong})):
        with pytest.raises(TypeError, match="Field n of X is invalid"):
            module.Y.type_spec.validate(value)


def test_constructors_and_dumps_stay_as_they_are(module):
    without = changed(module.X("a"), foo=None)
    assert module.dumps(without) == b"\0"
    assert module.Y(without, [without]).x is without
