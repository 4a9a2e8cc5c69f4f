"""Structs and exceptions: contract sections 5 and 6."""

import pytest

from tchannel_thrift import rw

DOCUMENT = """
struct Inner { 1: required i32 x }
struct S {
    1: optional i32 count = 3
    2: required string name
    3: optional list<string> tags = ["a"]
    4: required bool flag
    5: optional Inner inner
}
exception E { 1: required string message 2: optional i32 code }
struct Empty {}
"""


@pytest.fixture
def module(compiled):
    return compiled(DOCUMENT)


def test_required_arguments_come_first(module):
    value = module.S("n", True, 5, ["t"])
    assert (value.name, value.flag, value.count, value.tags) == ("n", True, 5, ["t"])


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {}, r'S\(\) takes at least 3 arguments \(1 given\): "name", "flag" missing'),
        (("n",), {}, r'S\(\) takes at least 3 arguments \(2 given\): "flag" missing'),
        (("n", True, 1, [], None, 6), {}, r"S\(\) takes at most 6 arguments \(7 given\)"),
        (("n", True), {"name": "m"}, r"S.*\(\) got multiple values for argument .name."),
        (("n", True), {"nope": 1}, r'S\(\) got an unexpected keyword argument "nope"'),
        ((None, True), {}, r'Field "name" of "S" is required. It cannot be None\.'),
    ],
)
def test_wrong_calls_say_what_is_wrong(module, args, kwargs, text):
    with pytest.raises(TypeError, match=text):
        module.S(*args, **kwargs)


def test_default_stands_for_a_missing_value_and_for_none(module):
    assert module.S("n", True).count == 3
    assert module.S("n", True, count=None).count == 3


def test_required_field_with_a_default_is_optional_in_the_constructor(compiled):
    module = compiled("struct S { 1: required i32 x = 5 2: required i32 y }")
    value = module.S(1)
    assert (value.x, value.y) == (5, 1)
    assert module.loads(module.S, b"\x08\0\2\0\0\0\1\0") == value


def test_defaults_are_copied(module):
    module.S("n", True).tags.append("b")
    assert module.S("n", True).tags == ["a"]
    payload = b"\x0b\0\2\0\0\0\1n\2\0\4\1\0"
    module.loads(module.S, payload).tags.append("b")
    assert module.loads(module.S, payload).tags == ["a"]


def test_attributes_are_slots_and_assignable(module):
    value = module.S("n", True)
    assert set(type(value).__slots__) == {"count", "name", "tags", "flag", "inner"}
    assert not hasattr(value, "__dict__")
    value.name = 5
    assert value.name == 5
    with pytest.raises(AttributeError):
        value.other = 1


def test_none_is_not_written_even_where_required(module):
    value = module.S("n", True, tags=None)
    value.name = value.count = value.tags = value.flag = None
    assert module.dumps(value) == b"\0"


def test_equal_values_are_equal(module):
    value = module.S("n", True)
    assert value == module.S("n", True)
    assert value != module.S("m", True)
    assert value != module.Empty()
    assert value != 5
    with pytest.raises(TypeError):
        value < value  # noqa: B015


def test_repr_is_that_of_a_dict(module):
    text = "S({'name': 'n', 'flag': True, 'count': 3, 'tags': ['a'], 'inner': None})"
    assert repr(module.S("n", True)) == str(module.S("n", True)) == text


def test_docstring_tells_the_arguments(module):
    assert module.S.__doc__.startswith("S(name, flag, count=None, tags=None, inner=None)\n")
    assert "-   count (default: 3)" in module.S.__doc__
    assert module.S("n", True).__doc__ == module.S.__doc__


def test_names_and_modules(module):
    assert module.S.__name__ == module.S.__qualname__ == "S"
    assert module.S.__module__ == "service"
    assert module.S.__thrift_module__ is module


@pytest.mark.parametrize(
    ("fields", "hashable"),
    [
        ("1: required string a 2: optional binary b 3: optional i32 c", True),
        ("1: optional Inner i", True),
        ("1: optional Loop l", True),
        ("1: optional list<i32> l", False),
        ("1: optional map<i32, i32> m", False),
        ("1: optional Unhashable u", False),
    ],
)
def test_hashable_if_all_fields_are(compiled, fields, hashable):
    module = compiled(
        f"""
        struct Inner {{ 1: required i32 x }}
        struct Loop {{ 1: optional Loop l }}
        struct Unhashable {{ 1: optional set<i32> s }}
        struct S {{ {fields} }}
        """
    )
    assert module.S.type_spec.hashable is hashable
    values = {field.name: None for field in module.S.type_spec.fields}
    if "a" in values:
        values["a"] = "x"
    if hashable:
        assert hash(module.S(**values)) == hash(module.S(**values))
    else:
        assert module.S.__hash__ is None


def test_subclasses_are_dumped_and_accepted(module):
    class Special(module.Inner):
        __slots__ = ("extra",)

        def __init__(self, x):
            super().__init__(x)
            self.extra = "not written"

    value = module.S("n", True, inner=Special(7))
    assert module.loads(module.S, module.dumps(value)).inner == module.Inner(7)
    assert module.dumps(Special(7)) == module.dumps(module.Inner(7))
    assert Special(7) == module.Inner(7)
    assert repr(Special(7)) == "Special({'x': 7})"


def test_from_primitive_casts(module):
    assert module.S.from_primitive(
        {"name": "n", "flag": "false", "count": "12", "unknown": 1, "inner": {"x": 5}}
    ) == module.S("n", True, 12, inner=module.Inner(5))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"name": 5, "flag": True}, TypeError),
        ({"name": "n", "flag": True, "count": "x"}, ValueError),
        ({"flag": True}, TypeError),
        (5, TypeError),
        ({"name": "n", "flag": True, "inner": 5}, TypeError),
    ],
)
def test_from_primitive_says_what_does_not_fit(module, value, error):
    with pytest.raises(error):
        module.S.from_primitive(value)


def test_enum_from_primitive_takes_names(compiled):
    module = compiled("enum Color { RED, GREEN = 5 } struct S { 1: required Color c }")
    assert module.S.from_primitive({"c": "GREEN"}).c == 5
    assert module.S.from_primitive({"c": 5}).to_primitive() == {"c": 5}
    with pytest.raises(TypeError):
        module.S.from_primitive({"c": "BLUE"})


def test_exceptions_are_exceptions(module):
    error = module.E("why", code=5)
    assert isinstance(error, Exception)
    assert error.args == ()
    assert str(error) == "E({'message': 'why', 'code': 5})"
    assert module.loads(module.E, module.dumps(error)) == error
    with pytest.raises(TypeError, match=r"E\(\) takes at least 2 arguments"):
        module.E()


def test_exceptions_can_have_a_field_called_args(compiled):
    module = compiled("exception E { 1: required list<string> args }")
    error = module.E(["a"])
    assert error.args == ["a"]
    assert module.loads(module.E, module.dumps(error)).args == ["a"]


@pytest.mark.parametrize(
    "name",
    [
        "self", "locals", "missing", "cls", "extra", "unknown", "g_self", "g_MISSING", "g_g_x", "arg_1", "argument_1",
        "class_", "len", "isinstance", "setattr", "getattr", "obj", "out", "buf", "pos", "depth",
        "new", "surface", "_private", "__mangled", "v_1", "f_0", "head", "print", "join",
        "from", "class", "def", "None_", "lambda", "is", "items", "values", "fields", "name",
    ],
)  # fmt: skip
@pytest.mark.parametrize("requiredness", ["required", "optional"])
def test_any_name_can_be_a_field(compiled, name, requiredness):
    module = compiled(
        f"""
        struct S {{ 1: {requiredness} string {name} 2: optional i32 other = 5 }}
        union U {{ 1: string {name} 2: i32 other }}
        exception E {{ 1: {requiredness} i32 {name} }}
        service V {{ void f(1: {requiredness} string {name}) }}
        """
    )
    for cls, value in ((module.S, "x"), (module.U, "x"), (module.E, 5), (module.V.f.request, "x")):
        made = cls(**{name: value})
        assert getattr(made, name) == value
        again = module.loads(cls, module.dumps(made))
        assert again == made
        assert getattr(again, name) == value
        assert cls.from_primitive(made.to_primitive()) == made
    with pytest.raises(TypeError, match=r"U.*unexpected|S.*unexpected|takes at most"):
        module.S(**{name: "x", "nope": 1})


def test_none_of_the_fields_can_hide_what_the_class_needs(compiled):
    for name in ("type_spec", "to_primitive", "from_primitive", "__init__", "__class__"):
        with pytest.raises(rw.ThriftCompilerError, match=name):
            compiled(f"struct S {{ 1: required i32 {name} }}")


def test_empty_struct(module):
    assert module.dumps(module.Empty()) == b"\0"
    assert module.loads(module.Empty, b"\0") == module.Empty()
    with pytest.raises(TypeError, match=r"takes at most 1 arguments \(2 given\)"):
        module.Empty(1)


def test_dumps_and_loads_refuse_what_is_not_generated(module):
    with pytest.raises(AttributeError, match="int"):
        module.dumps(5)
    with pytest.raises(AttributeError, match="int"):
        module.loads(int, b"\0")
    with pytest.raises(AttributeError):
        module.dumps(None)


def test_classes_of_other_modules_are_dumped_and_loaded(module, compiled):
    other = compiled("struct T { 1: required string s }")
    value = other.T("x")
    assert module.loads(other.T, module.dumps(value)) == value


def test_default_requiredness_is_optional(lenient):
    module = lenient("struct S { 1: i32 x = 1, 2: string y, 3: required i32 z }")
    assert [field.required for field in module.S.type_spec.fields] == [False, False, True]
    value = module.S(z=1)
    assert (value.x, value.y) == (1, None)
    assert module.dumps(value) == b"\x08\0\1\0\0\0\1\x08\0\3\0\0\0\1\0"
    assert module.loads(module.S, b"\x08\0\3\0\0\0\1\0") == value


def test_field_specs(module):
    fields = module.S.type_spec.fields
    assert [(f.id, f.name, f.spec.name, f.required, f.default_value) for f in fields] == [
        (1, "count", "i32", False, 3),
        (2, "name", "string", True, None),
        (3, "tags", "list<string>", False, ["a"]),
        (4, "flag", "bool", True, None),
        (5, "inner", "Inner", False, None),
    ]
    assert [field.ttype_code for field in fields] == [8, 11, 15, 2, 12]
    assert all(field.linked for field in fields)
    assert [field.hashable for field in fields] == [True, True, False, True, True]
    assert repr(fields[0]) == "FieldSpec(id=1, name='count', spec_name='i32')"
