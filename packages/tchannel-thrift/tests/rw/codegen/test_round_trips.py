"""Generated encoders and decoders against the careful writer and reader, over made-up schemas."""

import inspect
import keyword
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tchannel_thrift import rw
from tchannel_thrift.rw import spec as specs
from tchannel_thrift.rw.codegen import warmup
from tchannel_thrift.rw.protocol import BinaryReader, BinaryWriter
from tchannel_thrift.rw.spec.struct import write_struct

INTEGERS = {"byte": 8, "i16": 16, "i32": 32, "i64": 64}
SCALARS = {
    "bool": st.booleans(),
    "double": st.floats(allow_nan=False),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    "binary": st.binary(max_size=20),
    "Color": st.integers(-(1 << 31), (1 << 31) - 1),
    **{
        name: st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        for name, bits in INTEGERS.items()
    },
}
HASHABLE = [*SCALARS, "Flat"]

_plain = [*SCALARS, "Flat", "Choice", "Tree"]
_containers = [
    *(f"list<{idl}>" for idl in _plain),
    *(f"set<{idl}>" for idl in HASHABLE),
    *(f"map<{key}, {idl}>" for key in HASHABLE for idl in ("i32", "string", "Flat", "Tree")),
]
_nested = [
    *(f"list<{idl}>" for idl in _containers[::3]),
    *(f"map<string, {idl}>" for idl in _containers[1::3]),
]
types_ = st.one_of(st.sampled_from(_plain), st.sampled_from(_containers), st.sampled_from(_nested))
names = st.sampled_from(
    ["a", "b", "_", "_0", "f_0", "self", "g_self", "class", "from", "Z9", "pos", "value", "x_1"]
)
RESERVED = {
    *["namespace", "include", "void", "bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary", "map", "list", "set", "oneway", "typedef", "struct", "union", "exception", "extends", "throws", "service", "enum", "const", "required", "optional", "true", "false"],
}  # fmt: skip

fields = st.lists(
    st.tuples(names, st.integers(-50, 50).filter(bool), types_, st.booleans()),
    max_size=5,
    unique_by=(lambda field: field[0], lambda field: field[1]),
)

COMMON = """
enum Color { RED, GREEN }
struct Flat { 1: required i32 x 2: required string s }
union Choice { 1: i32 n 2: string s 3: Flat flat 4: list<i32> l }
struct Tree { 1: optional Tree next 2: optional list<Tree> more 3: required byte b }
"""


def document(kind, drawn):
    lines = []
    for name, number, idl, required in drawn:
        word = "" if kind == "union" else "required " if required else "optional "
        lines.append(f"  {number}: {word}{idl} {name}")
    return COMMON + f"{kind} S {{\n" + "\n".join(lines) + "\n}\n"


def values(spec, depth):
    """A strategy for the values of a type."""
    if isinstance(spec, specs.EnumTypeSpec):
        return SCALARS["Color"]
    if isinstance(spec, specs.PrimitiveTypeSpec):
        return SCALARS[spec.name]
    if isinstance(spec, specs.MapTypeSpec):
        return st.dictionaries(values(spec.kspec, depth), values(spec.vspec, depth), max_size=3)
    if isinstance(spec, specs.SetTypeSpec):
        return st.sets(values(spec.vspec, depth), max_size=3)
    if isinstance(spec, specs.ListTypeSpec):
        return st.lists(values(spec.vspec, depth), max_size=3)
    return structs(spec, depth - 1)


def structs(spec, depth):
    if isinstance(spec, specs.UnionTypeSpec):
        if not spec.fields:
            return st.builds(spec.surface)
        return st.one_of(
            [
                values(field.spec, depth).map(lambda v, n=field.name: spec.surface(**{n: v}))
                for field in spec.fields
            ]
        )
    arguments = {}
    for field in spec.fields:
        if field.required:
            arguments[field.name] = values(field.spec, depth)
        elif depth > 0:
            arguments[field.name] = st.none() | values(field.spec, depth)
        else:
            arguments[field.name] = st.none()
    return st.fixed_dictionaries(arguments).map(lambda kw: spec.surface(**kw))


def by_careful_means(spec, payload):
    """What the careful reader makes of a payload, without the generated decoder of the struct."""
    value, position = spec.resume(payload, 0, 0, [None] * len(spec.fields), 100)
    assert position == len(payload)
    return value


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), kind=st.sampled_from(["struct", "union", "exception"]), drawn=fields)
def test_whatever_is_dumped_is_loaded_again(data, kind, drawn):
    module = rw.Loader().loads("made_up", document(kind, drawn))
    spec = module.S.type_spec
    for value in data.draw(st.lists(structs(spec, 2), min_size=1, max_size=2)):
        payload = module.dumps(value)
        assert payload == write_struct(spec, value)
        again = module.loads(module.S, payload)
        assert again == value
        assert by_careful_means(spec, payload) == value
        assert module.dumps(again) == payload or any(
            isinstance(getattr(value, field.name), set) or "set<" in field.spec.name
            for field in spec.fields
        )
        if not any("map<Flat" in field.spec.name for field in spec.fields):
            # A struct is a dict as a primitive, and so cannot be a key.
            assert module.S.from_primitive(value.to_primitive()) == value
        # Nested, another decoder reads it than by itself.
        wrapped = specs.ListTypeSpec(spec)
        writer = BinaryWriter()
        wrapped.write_to(writer, [value, value])
        assert wrapped.read_from(BinaryReader(writer.getvalue())) == [value, value]
        for length in range(0, len(payload), 1 + len(payload) // 10):
            with pytest.raises(rw.EndOfInputError):
                module.loads(module.S, payload[:length])


def outcome(read):
    """What was read, as text; or that it was refused, with a documented error.

    Which of several mistakes is found first may differ.
    """
    try:
        return repr(read())
    except (rw.ThriftProtocolError, TypeError, ValueError):
        return "refused"


def assert_reads_alike(module, payload):
    spec = module.S.type_spec
    nothing = [None] * len(spec.fields)
    assert outcome(lambda: module.loads(module.S, payload)) == outcome(
        lambda: spec.resume(payload, 0, 0, nothing, 127)[0]
    )


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=fields, payload=st.binary(max_size=200))
def test_any_bytes_read_the_same_by_generated_and_by_careful_code(drawn, payload):
    assert_reads_alike(rw.Loader().loads("made_up", document("struct", drawn)), payload)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), drawn=fields, place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_damaged_payload_reads_the_same_by_generated_and_by_careful_code(
    data, drawn, place, byte
):
    module = rw.Loader().loads("made_up", document("struct", drawn))
    payload = bytearray(module.dumps(data.draw(structs(module.S.type_spec, 2))))
    payload[place % len(payload)] = byte
    assert_reads_alike(module, bytes(payload))


def test_not_a_number_survives(compiled):
    module = compiled("struct S { 1: required double d 2: required list<double> l }")
    again = module.loads(module.S, module.dumps(module.S(math.nan, [math.inf, -math.inf])))
    assert math.isnan(again.d)
    assert again.l == [math.inf, -math.inf]


def test_many_elements(compiled):
    module = compiled(
        "struct S { 1: required list<i32> a 2: required list<string> b 3: required map<i32, i64> c"
        " 4: required set<double> d }"
    )
    for count in (0, 1, 255, 256, 257, 5000):
        value = module.S(
            list(range(count)),
            [str(n) for n in range(count)],
            {n: -n for n in range(count)},
            {n / 2 for n in range(count)},
        )
        assert module.loads(module.S, module.dumps(value)) == value


def test_structs_of_one_shape_share_their_code(compiled, monkeypatch):
    module = compiled("struct A { 1: required string name } struct B { 1: required string name }")
    monkeypatch.setattr(warmup, "USES", 0)
    for cls in (module.A, module.B):
        assert module.loads(cls, module.dumps(cls("x"))) == cls("x")
        assert type(module.loads(cls, b"\x0b\0\1\0\0\0\1x\0")) is cls
    # Behind a native way there is the generated function, too.
    one, other = (inspect.unwrap(cls.__init__) for cls in (module.A, module.B))
    assert one.__code__ is other.__code__
    assert module.A("x") != module.B("x")


def test_generated_code_holds_no_text_of_the_document(compiled):
    nasty = '"); import os; os.abort(); ("\\n'
    module = compiled(f"struct S {{ 1: optional string s = '{nasty}' 2: required i32 x }}")
    value = module.S(5)
    assert value.s == nasty.replace("\\n", "\n")
    assert module.loads(module.S, b"\x08\0\2\0\0\0\5\0") == value


def test_every_python_keyword_can_name_a_field(compiled):
    plain = [word for word in keyword.kwlist if word not in RESERVED]
    lines = " ".join(f"{i}: required i32 {word}" for i, word in enumerate(plain, 1))
    module = compiled(f"struct S {{ {lines} }}")
    value = module.S(**{word: i for i, word in enumerate(plain)})
    assert module.loads(module.S, module.dumps(value)) == value
    with pytest.raises(TypeError, match="missing"):
        module.S()


@pytest.mark.parametrize("kind", ["struct", "exception"])
def test_fields_with_names_of_python_keywords_are_given_by_position_too(compiled, kind):
    module = compiled(
        f"{kind} S {{ 1: required string class 2: optional i32 b 3: optional i32 from }}"
        " service V { void send(1: string from) }"
    )
    assert module.S("x", 2, 3) == module.S(**{"class": "x", "b": 2, "from": 3})
    assert module.S("x", 2, **{"from": 3}) == module.S("x", 2, 3)
    assert getattr(module.V.send.request("x"), "from") == "x"
    with pytest.raises(TypeError, match="multiple values for argument 'class'"):
        module.S("x", **{"class": "y"})
    with pytest.raises(TypeError, match="at most 4 arguments"):
        module.S("x", 2, 3, 4)
