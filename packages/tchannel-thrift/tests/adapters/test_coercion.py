"""Dicts where the IDL has structs."""

import pytest

from tchannel_thrift import rw
from tchannel_thrift.adapters.coercion import coerce


@pytest.fixture(scope="module")
def module():
    return rw.Loader(strict=False).loads(
        "shapes",
        """
        struct P { 1: i32 x }
        union U { 1: P p, 2: i32 n }
        typedef P Q
        struct All {
            1: P p, 2: list<P> ps, 3: map<string, list<P>> named, 4: U u, 5: Q q, 6: set<string> s
        }
        """,
    )


def field(module, name):
    return next(one.spec for one in module.All.type_spec.fields if one.name == name)


def test_dicts_become_structs_however_deep(module):
    p = module.P(1)

    made = coerce(
        module.All.type_spec,
        {
            "p": {"x": 1},
            "ps": [{"x": 1}, p],
            "named": {"a": [{"x": 1}]},
            "u": {"p": {"x": 1}},
            "q": {"x": 1},
        },
    )

    assert made == module.All(p=p, ps=[p, p], named={"a": [p]}, u=module.U(p=p), q=p)


def test_tuples_hold_structs_too(module):
    assert coerce(field(module, "ps"), ({"x": 1},)) == [module.P(1)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("p", 5), ("ps", []), ("ps", "text"), ("named", {"a": []}), ("s", {"a"}), ("s", ["a"])],
)
def test_what_holds_no_dict_for_a_struct_stays_the_same_object(module, name, value):
    assert coerce(field(module, name), value) is value


def test_a_key_that_is_no_field_is_refused(module):
    with pytest.raises(TypeError, match="P has no field 'y'; it has: x"):
        coerce(field(module, "ps"), [{"x": 1}, {"y": 2}])
