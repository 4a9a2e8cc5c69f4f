"""What the values of a payload may come to, in objects and in memory: the limits of a protocol."""

from __future__ import annotations

import struct

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import BinaryProtocol, Loader
from tchannel_thrift.rw.codegen.decoder import counting_decoder_of, decoder_of
from tchannel_thrift.rw.protocol.budget import Budget, Limits
from tchannel_thrift.rw.spec.weight import harmless_size

WIDE = "".join(f"{n}: optional i32 f{n} " for n in range(1, 101))

DOCUMENT = f"""
struct Empty {{}}
struct Wide {{ {WIDE} }}
struct Rich {{ 1: optional list<i32> numbers = [{", ".join(["1"] * 2000)}] }}
struct Full {{ 1: required i32 a }}
struct Node {{ 1: optional Node next 2: optional Wide wide }}
union Choice {{ 1: Empty e 2: list<Empty> l 3: i32 n }}
exception Oops {{ 1: optional list<Empty> l }}
struct S {{
  1: optional list<Empty> empties
  2: optional list<Wide> wides
  3: optional list<list<Empty>> lists
  4: optional map<i32, Empty> map_of_empties
  5: optional set<i32> numbers
  6: optional list<Rich> rich
  7: optional list<bool> bools
  8: optional list<Full> full
  9: optional Node node
  10: optional list<Choice> choices
  11: optional list<string> texts
  12: optional Oops oops
  13: optional list<set<string>> sets
  14: optional list<list<list<list<list<list<list<list<list<list<Empty>>>>>>>>>> deep
  15: optional list<list<i32>> numbers_of_numbers
}}
"""


@pytest.fixture(scope="module")
def module():
    return Loader().loads("limits", DOCUMENT)


def small(**limits):
    return Loader(BinaryProtocol(**limits)).loads("limits", DOCUMENT)


def list_field(field_id, code, count, elements):
    return struct.pack(">bhbi", 15, field_id, code, count) + elements + b"\0"


def empties(count, field_id=1):
    return list_field(field_id, 12, count, bytes(count))


def test_masses_of_empty_structs_are_refused_before_they_fill_the_memory():
    module = small(max_objects=1000)
    payload = empties(100_000)
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy does not count memory")
    tracemalloc.start()
    try:
        with pytest.raises(rw.ThriftProtocolError, match="more than 26002 structs and containers"):
            module.loads(module.S, payload)
        assert tracemalloc.get_traced_memory()[1] < 32 * len(payload)
    finally:
        tracemalloc.stop()


def test_the_default_limit_is_a_million_and_one_for_four_bytes(module):
    with pytest.raises(rw.ThriftProtocolError, match="more than 1350002 structs and containers"):
        module.loads(module.S, empties(1_400_000))


def test_a_million_empty_structs_are_read(module):
    assert len(module.loads(module.S, empties(1_000_000)).empties) == 1_000_000


def test_what_holds_a_value_is_never_too_many():
    count = 500_000
    full = list_field(8, 12, count, b"\x08\0\1\0\0\0\5\0" * count)
    limited = small(max_objects=1, max_decoded_size=1)
    assert len(limited.loads(limited.S, full).full) == count


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("empty structs", empties(10_000)),
        ("empty structs in lists", list_field(3, 15, 100, empties(100)[3:-1] * 100)),
        ("unknown empty structs", empties(10_000, field_id=77)),
        ("unknown empty structs in lists", list_field(77, 15, 100, empties(100)[3:-1] * 100)),
        ("unions", list_field(10, 12, 3, (b"\x0f\0\2" + empties(3000)[3:-1] + b"\0") * 3)),
        ("within an exception", b"\x0c\0\x0c\x0f\0\1" + empties(9000)[3:-1] + b"\0\0"),
        ("in an unusual order", empties(10)[:-1] + empties(9000)),
    ],
)
def test_objects_are_counted_wherever_they_are(name, payload):
    module = small(max_objects=1000)
    with pytest.raises(rw.ThriftProtocolError, match="structs and containers"):
        module.loads(module.S, payload)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("many fields", list_field(2, 12, 5000, bytes(5000))),
        ("defaults", list_field(6, 12, 50, bytes(50))),
        ("sets", list_field(13, 14, 5000, b"\x0b\0\0\0\0" * 5000)),
        ("a set of numbers", list_field(5, 8, 5000, bytes(20_000)).replace(b"\x0f", b"\x0e", 1)),
        ("fields that are structs", b"\x0c\0\x09" + b"\x0c\0\2\0" * 3000 + b"\0\0"),
    ],
)
def test_memory_is_counted_wherever_it_is(name, payload):
    module = small(max_decoded_size=10_000)
    with pytest.raises(rw.ThriftProtocolError, match=r"would take more than .* bytes of memory"):
        module.loads(module.S, payload)


def test_a_message_in_an_envelope_has_the_same_limits():
    loader = Loader(BinaryProtocol(max_objects=100))
    module = loader.loads("m", "struct E {} service V { void f(1: list<E> l) }")
    message = b"\0\0\0\1f\1\0\0\0\0" + empties(1000)
    with pytest.raises(rw.ThriftProtocolError, match="structs and containers"):
        module.loads.message(module.V, message)


def test_a_first_small_payload_has_the_limits_as_well():
    module = small(max_objects=10)
    with pytest.raises(rw.ThriftProtocolError, match="structs and containers"):
        module.loads(module.S, empties(100))


# -- both decoders do the same --------------------------------------------------------------------


def samples(module):
    m = module
    yield m.S()
    yield m.S(empties=[m.Empty()] * 3, wides=[m.Wide(f1=1), m.Wide(f100=2)])
    yield m.S(lists=[[m.Empty()], []], map_of_empties={1: m.Empty()}, numbers={1, 2})
    yield m.S(rich=[m.Rich(), m.Rich([5])], bools=[True, False], full=[m.Full(1)])
    yield m.S(node=m.Node(m.Node(wide=m.Wide(f5=5))), texts=["a", ""], oops=m.Oops([m.Empty()]))
    yield m.S(choices=[m.Choice(e=m.Empty()), m.Choice(l=[m.Empty()]), m.Choice(n=1)])
    deep = [m.Empty()]
    for _ in range(9):
        deep = [deep]
    yield m.S(sets=[{"a"}, set()], deep=deep, numbers_of_numbers=[[1, 2], []])


def test_the_decoder_that_counts_reads_the_same_values(module):
    spec = module.S.type_spec
    for value in samples(module):
        payload = module.dumps(value)
        budget = Budget(len(payload), Limits())
        counted = counting_decoder_of(spec)(payload, 0, 100, budget)
        assert counted == decoder_of(spec)(payload, 0, 100) == (value, len(payload))


def test_the_decoder_that_counts_refuses_what_the_other_refuses(module):
    spec = module.S.type_spec
    for value in samples(module):
        payload = module.dumps(value)
        for end in range(len(payload)):
            outcomes = []
            for decode in (decoder_of(spec), counting_decoder_of(spec)):
                budget = [Budget(end, Limits())] if decode is counting_decoder_of(spec) else []
                try:
                    outcomes.append(decode(payload[:end], 0, 100, *budget))
                except Exception as error:
                    outcomes.append((type(error), str(error)))
            assert outcomes[0] == outcomes[1]


def test_nesting_is_limited_for_large_payloads_too(module):
    payload = b"\x0c\0\x09" + b"\x0c\0\1" * 30_000 + bytes(30_002)
    with pytest.raises(rw.ThriftProtocolError, match="nested too deeply"):
        module.loads(module.S, payload)


# -- who needs it ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        "1: required string a",
        "1: optional string a 2: optional i32 b 3: optional double c",
        "1: required list<i32> a 2: required map<string, string> b 3: optional list<string> c",
        "1: optional Full a",
    ],
)
def test_types_that_cannot_grow_need_no_counting(fields):
    module = Loader().loads("m", f"struct Full {{ 1: required i32 x }} struct S {{ {fields} }}")
    assert harmless_size(module.S.type_spec, Limits()) > 1 << 40


def test_the_wider_the_structs_the_smaller_what_is_harmless(module):
    sizes = []
    for fields in (1, 10, 100, 1000):
        wide = "".join(f"{n}: optional i32 f{n} " for n in range(1, fields + 1))
        document = f"struct W {{ {wide} }} struct S {{ 1: optional list<W> l }}"
        sizes.append(harmless_size(Loader().loads("m", document).S.type_spec, Limits()))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1_000_000
    assert 10_000 < sizes[-1] < 20_000


def test_what_is_small_depends_on_the_files_that_are_included(files):
    directory = files(
        {
            "main.thrift": 'include "./rich.thrift"\nstruct S { 1: optional list<rich.Rich> l }',
            "rich.thrift": "struct Rich { 1: optional list<i32> l = ["
            + ", ".join(["1"] * 9000) + "] }",
        }
    )  # fmt: skip
    loader = Loader()
    loader.load(directory / "rich.thrift")
    module = loader.load(directory / "main.thrift")
    with pytest.raises(rw.ThriftProtocolError, match="bytes of memory"):
        module.loads(module.S, empties(400))


@pytest.mark.parametrize("name", ["max_depth", "max_objects", "max_decoded_size"])
def test_limits_are_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        BinaryProtocol(**{name: 0})
