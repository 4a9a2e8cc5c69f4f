"""Which values each type takes: contract section 7."""

import decimal
import fractions
import numbers
import re

import pytest

from tchannel_thrift import rw

INTEGERS = {"byte": 8, "i8": 8, "i16": 16, "i32": 32, "i64": 64}


@pytest.fixture
def one(compiled):
    """Makes a module whose struct S has one required field f of the given type."""

    def make(idl):
        return compiled(
            f"""
            enum Color {{ RED, GREEN }}
            struct Point {{ 1: required i32 x }}
            union Choice {{ 1: i32 x }}
            struct S {{ 1: required {idl} f }}
            """
        )

    return make


class Index:
    def __index__(self):
        return 5


class Number(numbers.Integral):
    """An Integral that is no int."""

    def __init__(self, value):
        self.value = value

    def __int__(self):
        return self.value

    __index__ = __int__

    def __le__(self, other):
        return self.value <= other

    def __lt__(self, other):
        return self.value < other

    def __ge__(self, other):
        return self.value >= other

    def __gt__(self, other):
        return self.value > other


for _name in numbers.Integral.__abstractmethods__:
    if _name not in vars(Number):
        setattr(Number, _name, lambda *_: NotImplemented)
Number.__abstractmethods__ = frozenset()


def written(module, value):
    """The value as it comes back."""
    return module.loads(module.S, module.dumps(module.S(value))).f


@pytest.mark.parametrize(
    ("idl", "value", "back"),
    [
        ("bool", True, True),
        ("bool", 0, False),
        ("bool", 256, True),
        ("byte", True, 1),
        ("i32", Number(7), 7),
        ("i64", -(1 << 63), -(1 << 63)),
        ("double", 3, 3.0),
        ("double", True, 1.0),
        ("double", decimal.Decimal("1.5"), 1.5),
        ("double", fractions.Fraction(1, 4), 0.25),
        ("string", "żółć", "żółć"),
        ("string", "żółć".encode(), "żółć"),
        ("string", "x" * 5000, "x" * 5000),
        ("binary", b"\xff", b"\xff"),
        ("binary", "ż", "ż".encode()),
        ("Color", 1, 1),
        ("Color", 77, 77),
        ("Color", Number(1), 1),
        ("list<i32>", (1, 2), [1, 2]),
        ("list<i32>", {3}, [3]),
        ("list<i32>", [True, Number(2)], [1, 2]),
        ("list<double>", [1, decimal.Decimal(2)], [1.0, 2.0]),
        ("list<bool>", [1, 0, True], [True, False, True]),
        ("list<string>", "ab", ["a", "b"]),
        ("list<string>", [b"a"], ["a"]),
        ("list<binary>", ["a"], [b"a"]),
        ("set<i32>", [1, 1], {1}),
        ("set<string>", frozenset(("a",)), {"a"}),
        ("map<string, i32>", {b"a": 1}, {"a": 1}),
        ("map<i32, list<i32>>", {1: (2,)}, {1: [2]}),
        ("list<Color>", [0, 9], [0, 9]),
    ],
)
def test_value_is_accepted(one, idl, value, back):
    module = one(idl)
    again = written(module, value)
    assert again == back
    assert type(again) is type(back)


def test_values_are_kept_as_they_are_given(one):
    given = (1, 2)
    assert one("list<i32>").S(given).f is given
    assert one("string").S(b"x").f == b"x"


@pytest.mark.parametrize("idl", ["list<i32>", "set<i32>", "list<list<i32>>"])
def test_generators_are_kept_as_lists(one, idl):
    module = one(idl)
    value = module.S(([n] if "list<list" in idl else n) for n in range(3))
    assert len(value.f) == 3
    assert len(module.loads(module.S, module.dumps(value)).f) == 3


@pytest.mark.parametrize(
    ("idl", "value"),
    [
        ("bool", "true"),
        ("bool", 1.0),
        ("byte", 1.0),
        ("i16", "1"),
        ("i32", 1.5),
        ("i32", Index()),
        ("i64", "x"),
        ("double", "1.5"),
        ("double", 1j),
        ("string", 5),
        ("string", bytearray(b"x")),
        ("binary", memoryview(b"x")),
        ("binary", 5),
        ("Color", "RED"),
        ("Color", 1.0),
        ("list<i32>", 5),
        ("list<i32>", ["a"]),
        ("list<i32>", "abc"),
        ("list<i32>", [1, 2.5]),
        ("list<string>", [None]),
        ("list<Point>", [5]),
        ("list<list<i32>>", [5]),
        ("list<list<i32>>", [["a"]]),
        ("set<i32>", 5),
        ("set<string>", {5}),
        ("map<string, i32>", [("a", 1)]),
        ("map<string, i32>", {5: 1}),
        ("map<string, i32>", {"a": "b"}),
        ("map<string, map<string, i32>>", {"a": {"b": "c"}}),
        ("Point", 5),
        ("Point", {"x": 1}),
        ("Choice", None),
    ],
)
def test_wrong_type_is_a_type_error_that_names_struct_and_field(one, idl, value):
    with pytest.raises(TypeError) as caught:
        one(idl).S(value)
    assert re.search(r'Field f of S is invalid: |Field "f" of "S" is required', str(caught.value))


@pytest.mark.parametrize("idl", INTEGERS)
def test_integers_have_their_range(one, idl):
    module = one(idl)
    limit = 1 << (INTEGERS[idl] - 1)
    for value in (limit - 1, -limit):
        assert written(module, value) == value
    for value in (limit, -limit - 1, 1 << 200, -(1 << 9000)):
        for error in (ValueError, OverflowError, rw.OutOfRangeError):
            with pytest.raises(error, match=r"Field f of S is invalid: Value .* does not fit"):
                module.S(value)


@pytest.mark.parametrize(
    ("idl", "good", "bad"),
    [
        ("Color", 1, 1 << 31),
        ("double", 1.0, 10**400),
        ("list<i16>", [1], [1 << 15]),
        ("set<byte>", {1}, {128}),
        ("map<i32, i64>", {1: 1}, {1: 1 << 63}),
        ("map<i32, i64>", {1: 1}, {1 << 31: 1}),
        ("list<set<i32>>", [{1}], [{1 << 31}]),
    ],
)
def test_out_of_range_is_one_error_on_construction_and_on_dumps(one, idl, good, bad):
    module = one(idl)
    with pytest.raises(rw.OutOfRangeError, match="Field f of S"):
        module.S(bad)
    value = module.S(good)
    value.f = bad
    with pytest.raises(rw.OutOfRangeError, match="Field f of S"):
        module.dumps(value)


@pytest.mark.parametrize(
    ("idl", "good", "bad"),
    [
        ("bool", True, "x"),
        ("byte", 1, "x"),
        ("i32", 1, 1.5),
        ("i64", 1, []),
        ("double", 1.0, "x"),
        ("string", "a", 5),
        ("binary", b"a", 5),
        ("Color", 1, "RED"),
        ("list<i32>", [1], 5),
        ("list<i32>", [1], ["x"]),
        ("list<string>", ["a"], [5]),
        ("list<bool>", [True], ["x"]),
        ("set<string>", {"a"}, 5),
        ("map<string, string>", {"a": "b"}, {"a": 5}),
        ("map<string, string>", {"a": "b"}, {5: "a"}),
        ("map<string, string>", {"a": "b"}, ["a"]),
        ("Point", None, 5),
        ("list<Point>", [], [5]),
    ],
)
def test_wrong_type_set_later_is_a_type_error_on_dumps(one, idl, good, bad):
    module = one(idl)
    value = module.S(module.Point(1) if good is None else good)
    value.f = bad
    with pytest.raises(TypeError, match="Field f of S is invalid"):
        module.dumps(value)


def test_error_deep_inside_names_the_innermost_struct(compiled):
    module = compiled(
        "struct In { 1: required i32 x } struct Out { 1: required map<string, list<In>> m }"
    )
    value = module.Out({"k": [module.In(1)]})
    value.m["k"][0].x = "wrong"
    with pytest.raises(TypeError, match=r"^Field x of In is invalid: Cannot serialize \'wrong\'"):
        module.dumps(value)


def test_lone_surrogates_are_a_unicode_error_that_names_the_field(one):
    with pytest.raises(UnicodeEncodeError, match="Field f of S"):
        one("string").S("\ud800") and one("string").dumps(one("string").S("\ud800"))


def test_value_that_contains_itself_is_a_value_error(compiled):
    module = compiled("struct N { 1: optional N next 2: optional list<N> more }")
    loop = module.N()
    loop.next = loop
    with pytest.raises(ValueError, match="contains itself"):
        module.dumps(loop)
    loop = module.N()
    loop.more = [loop]
    with pytest.raises(ValueError, match="contains itself"):
        module.dumps(loop)


def test_uuid_is_sixteen_bytes(lenient):
    import uuid

    module = lenient("struct S { 1: uuid f  2: list<uuid> g }")
    value = module.S(uuid.UUID(int=5), [uuid.UUID(int=6)])
    payload = module.dumps(value)
    assert payload.startswith(b"\x10\0\1" + b"\0" * 15 + b"\5")
    assert module.loads(module.S, payload) == value
    assert module.S.from_primitive(value.to_primitive()) == value
    with pytest.raises(TypeError, match="Field f of S"):
        module.S("no uuid")
    with pytest.raises(rw.EndOfInputError):
        module.loads(module.S, payload[:9])


def test_text_keys_are_kept_within_bounds(one):
    from tchannel_thrift.rw.codegen.layout import TEXT_KEYS

    module = one("map<string, i32>")
    for start in range(0, 3 * TEXT_KEYS.maximum, 1000):
        value = {f"key {number}": number for number in range(start, start + 1000)}
        assert written(module, value) == value
    assert len(TEXT_KEYS) <= TEXT_KEYS.maximum
    written(module, {"long" * 100: 1})
    assert "long" * 100 not in TEXT_KEYS
