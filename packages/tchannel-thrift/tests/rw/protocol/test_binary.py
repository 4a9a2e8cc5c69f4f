"""Payloads, good and hostile: contract sections 12 and 13."""

import struct
import time

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw.protocol import BinaryProtocol, BinaryReader, BinaryWriter

DOCUMENT = """
enum Color { RED, GREEN }
struct Point { 1: required i32 x 2: required i32 y }
union Choice { 1: i32 number 2: string text 3: Point point }
struct Node { 1: optional Node next 2: optional list<Node> children 3: optional map<i32, Node> by }
struct Empty {}
struct Text { 1: optional string value }
struct Data { 1: optional binary value }
struct Ints { 1: optional list<i32> value }
struct Texts { 1: optional list<string> value }
struct Points { 1: optional list<Point> value }
struct Empties { 1: optional list<Empty> value }
struct Bools { 1: optional set<bool> value }
struct Names { 1: optional map<string, i32> value }
struct Deep { 1: optional map<string, list<set<i64>>> value }
struct Keyed { 1: optional map<Point, string> value }
struct ListKey { 1: optional map<list<i32>, string> value }
struct Everything {
    1: required bool a  2: required byte b  3: required i16 c  4: required i32 d  5: required i64 e
    6: required double f  7: required string g  8: required binary h  9: required Color i
    10: required Point j  11: required list<i32> k  12: required map<string, string> l
    13: optional set<i16> m  14: optional list<Point> n  15: optional Choice o
    16: optional i32 p = 42  17: optional map<i64, list<string>> q  18: optional bool r
}
struct Skipping { 20: required i32 last }
service Service {
    string get(1: string key) throws (1: Failure failure)
    void put(1: string key)
    oneway void forget(1: string key)
}
exception Failure { 1: required string why }
"""


@pytest.fixture
def module():
    return rw.Loader().loads("hostile", DOCUMENT)


@pytest.fixture
def everything(module):
    return module.Everything(
        True, -1, 300, -70000, 1 << 40, 2.5, "zażółć", b"\x00\xff", 1, module.Point(1, -2),
        [1, 2, 3], {"k": "v", "": "x" * 300}, m={5, 6}, n=[module.Point(3, 4)],
        o=module.Choice(text="t"), q={1: ["a", "b"], 2: []}, r=False,
    )  # fmt: skip


# -- the bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("idl", "value", "encoded"),
    [
        ("bool", True, "02 0001 01"),
        ("bool", False, "02 0001 00"),
        ("byte", -128, "03 0001 80"),
        ("i8", 127, "03 0001 7f"),
        ("double", 1.5, "04 0001 3ff8000000000000"),
        ("i16", -2, "06 0001 fffe"),
        ("i32", 0x01020304, "08 0001 01020304"),
        ("i64", -1, "0a 0001 ffffffffffffffff"),
        ("string", "zł", "0b 0001 00000003 7ac582"),
        ("binary", b"\x00\xff", "0b 0001 00000002 00ff"),
        ("list<i16>", [1, 2], "0f 0001 06 00000002 0001 0002"),
        ("list<bool>", [True, False], "0f 0001 02 00000002 01 00"),
        ("list<string>", ["a", ""], "0f 0001 0b 00000002 00000001 61 00000000"),
        ("set<byte>", {7}, "0e 0001 03 00000001 07"),
        ("set<string>", {"a"}, "0e 0001 0b 00000001 00000001 61"),
        ("map<i32, bool>", {5: True}, "0d 0001 08 02 00000001 00000005 01"),
        ("map<string, string>", {"k": "v"}, "0d 0001 0b 0b 00000001 00000001 6b 00000001 76"),
        ("map<string, list<i32>>", {"k": [9]},
         "0d 0001 0b 0f 00000001 00000001 6b 08 00000001 00000009"),
        ("list<list<i32>>", [[1], []], "0f 0001 0f 00000002 08 00000001 00000001 08 00000000"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("requiredness", ["required", "optional"])
def test_bytes_of_each_type(compiled, idl, value, encoded, requiredness):
    cls = (module := compiled(f"struct S {{ 1: {requiredness} {idl} f }}")).S
    payload = bytes.fromhex(encoded) + b"\0"
    assert module.dumps(cls(value)) == payload
    decoded = module.loads(cls, payload).f
    assert decoded == value
    assert type(decoded) is type(value)


def test_fields_are_written_in_the_order_of_the_file(compiled):
    module = compiled("struct S { 5: required byte a -3: required byte b 1: optional byte c }")
    assert module.dumps(module.S(1, 2, 3)).hex(" ") == "03 00 05 01 03 ff fd 02 03 00 01 03 00"


def test_everything_survives(module, everything):
    again = module.loads(module.Everything, module.dumps(everything))
    assert again == everything
    assert again.p == 42


def test_defaults_are_written(module, everything):
    assert struct.pack(">bhi", 8, 16, 42) in module.dumps(everything)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_buffers_are_read_as_bytes(module, everything, kind):
    again = module.loads(module.Everything, kind(module.dumps(everything)))
    assert again == everything
    assert type(again.h) is bytes


@pytest.mark.parametrize("payload", ["text", None, 5])
def test_payload_must_be_bytes(module, payload):
    with pytest.raises(TypeError, match="payload must be bytes"):
        module.loads(module.Empty, payload)


def test_what_follows_a_struct_is_ignored(module):
    assert module.loads(module.Text, b"\0garbage").value is None


def test_any_nonzero_byte_is_true(compiled):
    module = compiled("struct S { 1: required bool f 2: optional list<bool> g }")
    value = module.loads(module.S, b"\2\0\1\7\x0f\0\2\2\0\0\0\2\xff\0\0")
    assert value == module.S(True, [True, False])


# -- fields out of the ordinary -----------------------------------------------------------------


def split_fields(module, value):
    """The encoded fields of a value, one by one."""
    parts = []
    for field in value.type_spec.fields:
        if getattr(value, field.name) is None:
            continue
        writer = BinaryWriter()
        value.type_spec.write_field(writer, field, getattr(value, field.name))
        parts.append(writer.getvalue())
    assert b"".join(parts) + b"\0" == module.dumps(value)
    return parts


UNKNOWN = b"".join(
    bytes.fromhex(part)
    for part in (
        "02 0100 01", "03 0101 01", "04 0102 3ff8000000000000", "06 0103 0001", "08 0104 00000001",
        "0a 0105 0000000000000001", "0b 0106 00000003 616263", "0c 0107 08 0001 00000001 00",
        "0d 0108 0b 08 00000001 00000001 61 00000001", "0e 0109 08 00000001 00000001",
        "0f 010a 0b 00000002 00000000 00000001 61", "0d 010b 00 00 00000000", "0f 010c 00 00000000",
        "0d 010d 02 03 00000002 0101 0001", "0f 010e 0c 00000002 00 00", "10 010f" + "ab" * 16,
    )
)  # fmt: skip


def test_any_order_reads_the_same(module, everything):
    parts = split_fields(module, everything)
    for turn in range(len(parts)):
        turned = parts[turn:] + parts[:turn]
        for order in (turned, turned[::-1]):
            assert module.loads(module.Everything, b"".join(order) + b"\0") == everything


def test_unknown_fields_are_skipped_wherever_they_stand(module, everything):
    parts = split_fields(module, everything)
    for place in range(len(parts) + 1):
        payload = b"".join(parts[:place]) + UNKNOWN + b"".join(parts[place:]) + b"\0"
        assert module.loads(module.Everything, payload) == everything


def test_known_id_with_another_type_is_skipped(module):
    payload = b"\x08\0\1\0\0\0\5" + b"\x0b\0\1\0\0\0\1a" + b"\x08\0\1\0\0\0\5" + b"\0"
    assert module.loads(module.Text, payload).value == "a"


def test_last_of_a_repeated_field_wins(module):
    payload = b"\x0b\0\1\0\0\0\1a" + b"\x0b\0\1\0\0\0\1b" + b"\0"
    assert module.loads(module.Text, payload).value == "b"


def test_last_of_a_repeated_key_wins(module):
    payload = bytes.fromhex("0d 0001 0b 08 00000002 00000001 61 00000001 00000001 61 00000002 00")
    assert module.loads(module.Names, payload).value == {"a": 2}


def test_empty_containers_need_no_element_types(module):
    assert module.loads(module.Names, bytes.fromhex("0d 0001 00 00 00000000 00")).value == {}
    assert module.loads(module.Ints, bytes.fromhex("0f 0001 00 00000000 00")).value == []
    assert module.loads(module.Texts, bytes.fromhex("0f 0001 08 00000000 00")).value == []


@pytest.mark.parametrize("missing", range(12))
def test_missing_required_field_is_a_type_error_that_names_it(module, everything, missing):
    parts = split_fields(module, everything)
    del parts[missing]
    with pytest.raises(TypeError, match=f'"{"abcdefghijkl"[missing]}" missing'):
        module.loads(module.Everything, b"".join(parts) + b"\0")


@pytest.mark.parametrize(
    "payload",
    [b"\0", b"\x08\0\1\0\0\0\5\x0b\0\2\0\0\0\1a\0", b"\x0b\0\2\0\0\0\1a\x08\0\1\0\0\0\5\0"],
)
def test_union_with_no_or_several_fields_is_a_type_error(module, payload):
    with pytest.raises(TypeError, match="Choice"):
        module.loads(module.Choice, payload)


def test_keys_may_be_structs(module):
    value = module.Keyed({module.Point(1, 2): "a"})
    assert module.loads(module.Keyed, module.dumps(value)) == value


def test_keys_may_be_containers_which_are_frozen_then(module):
    payload = bytes.fromhex("0d 0001 0f 0b 00000001 08 00000001 00000001 00000001 61 00")
    value = module.loads(module.ListKey, payload)
    assert value.value == {(1,): "a"}
    assert module.dumps(value) == payload


# -- hostile payloads ---------------------------------------------------------------------------


HOSTILE = {
    "negative string length": ("Text", "0b 0001 ffffffff 00"),
    "negative binary length": ("Data", "0b 0001 80000000 00"),
    "negative length of a skipped string": ("Empty", "0b 0009 fffffff0" + "00" * 22),
    "negative list size": ("Ints", "0f 0001 08 ffffffff 00"),
    "negative size of a list of strings": ("Texts", "0f 0001 0b ffffffff 00"),
    "negative map size": ("Names", "0d 0001 0b 08 ffffffff 00"),
    "negative size of a skipped list": ("Empty", "0f 0009 08 ffffffff 00"),
    "negative size of a skipped map": ("Empty", "0d 0009 08 08 ffffffff 00"),
    "negative length of an element": ("Texts", "0f 0001 0b 00000001 ffffffff 00"),
    "negative length of a key": ("Names", "0d 0001 0b 08 00000001 fffffff0 00000001 00"),
    "huge string": ("Text", "0b 0001 7fffffff 61"),
    "huge list of ints": ("Ints", "0f 0001 08 7fffffff 00000001"),
    "huge list of strings": ("Texts", "0f 0001 0b 7fffffff 00000001 61"),
    "huge list of structs": (
        "Points",
        "0f 0001 0c 7fffffff 08 0001 00000001 08 0002 00000001 00",
    ),
    "huge list of empty structs": ("Empties", "0f 0001 0c 7fffffff 00"),
    "huge set of bools": ("Bools", "0e 0001 02 7fffffff 01"),
    "huge map": ("Names", "0d 0001 0b 08 7fffffff 00000001 61"),
    "huge skipped list": ("Empty", "0f 0009 08 7fffffff"),
    "huge skipped list of structs": ("Empty", "0f 0009 0c 7fffffff 00"),
    "huge skipped map of structs": ("Empty", "0d 0009 0c 0c 7fffffff 00"),
    "skipped list of an unknown type": ("Empty", "0f 0009 00 7fffffff 00"),
    "skipped map of unknown types": ("Empty", "0d 0009 00 00 7fffffff 00"),
    "skipped list of void": ("Empty", "0f 0009 01 7fffffff 00"),
    "list of another type": ("Ints", "0f 0001 0b 00000001 00000000 00"),
    "list of another type of the same size": ("Points", "0f 0001 08 00000001 00000000 00"),
    "set of another type": ("Bools", "0e 0001 03 00000001 01 00"),
    "map with other keys": ("Names", "0d 0001 08 08 00000001 00000001 00000001 00"),
    "map with other values": ("Names", "0d 0001 0b 0a 00000001 00000001 61 0000000000000001 00"),
    "nested list of another type": ("Deep", "0d 0001 0b 0f 00000001 00000001 61 0b 00000001 00"),
    "unknown type 0x01": ("Empty", "01 0009 00"),
    "unknown type 0x05": ("Empty", "05 0009 00"),
    "unknown type 0x10 without a value": ("Empty", "10 0009 00"),
    "unknown type 0xff": ("Empty", "ff 0009 00"),
    "unknown type for a known id": ("Text", "7f 0001 00"),
    "nothing": ("Empty", ""),
    "no stop": ("Text", "0b 0001 00000001 61"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_payload_is_a_protocol_error_at_once(module, case):
    name, payload = HOSTILE[case]
    before = time.process_time()
    with pytest.raises(rw.ThriftProtocolError):
        module.loads(getattr(module, name), bytes.fromhex(payload))
    # To go through what it claims to hold would take minutes.
    assert time.process_time() - before < 10


def test_errors_of_truncation_say_how_much_is_missing(module):
    with pytest.raises(rw.EndOfInputError, match=r"Expected 5 bytes but got 2 bytes\."):
        module.loads(module.Text, bytes.fromhex("0b 0001 00000005 6161"))
    with pytest.raises(rw.ThriftProtocolError, match="-16"):
        module.loads(module.Text, bytes.fromhex("0b 0001 fffffff0") + b"\0" * 40)


def test_truncation_at_every_byte_is_end_of_input(module, everything):
    payload = module.dumps(everything)
    for length in range(len(payload)):
        with pytest.raises(rw.EndOfInputError):
            module.loads(module.Everything, payload[:length])


def test_truncation_at_every_byte_is_end_of_input_when_all_is_skipped(module, everything):
    payload = module.dumps(everything)[:-1] + UNKNOWN + b"\0"
    for length in range(len(payload)):
        with pytest.raises(rw.EndOfInputError):
            module.loads(module.Empty, payload[:length])


def test_any_changed_byte_gives_a_value_or_a_documented_error(module, everything):
    payload = module.dumps(everything)
    for place in range(len(payload)):
        for byte in (0x00, 0x01, 0x0C, 0x0F, 0x7F, 0x80, 0xFF):
            changed = payload[:place] + bytes((byte,)) + payload[place + 1 :]
            try:
                module.loads(module.Everything, changed)
            except (rw.ThriftProtocolError, TypeError, ValueError):
                pass


def test_invalid_utf_8_is_a_unicode_error_that_names_the_field(module):
    payload = b"\x0b\0\1\0\0\0\2\xc3\x28\0"
    with pytest.raises(UnicodeDecodeError, match="Field value of Text"):
        module.loads(module.Text, payload)


def test_invalid_utf_8_deep_inside_names_the_innermost_field(compiled):
    module = compiled(
        "struct In { 1: required string s } struct Out { 1: required map<i32, list<In>> m }"
    )
    good = module.dumps(module.Out({1: [module.In("abc")]}))
    with pytest.raises(UnicodeDecodeError, match="Field s of In is invalid") as caught:
        module.loads(module.Out, good.replace(b"abc", b"\xff\xff\xff"))
    assert "Out" not in str(caught.value)


def chain(levels):
    return b"\x0c\0\1" * levels + b"\0" * (levels + 1)


@pytest.mark.parametrize("limit", [1, 2, 10, 64])
def test_nesting_is_limited(limit):
    module = rw.Loader(BinaryProtocol(max_depth=limit)).loads("deep", DOCUMENT)
    value = module.loads(module.Node, chain(limit - 1))
    assert module.dumps(value) == chain(limit - 1)
    with pytest.raises(rw.ThriftProtocolError, match="nested too deeply"):
        module.loads(module.Node, chain(limit))


def test_nesting_of_lists_and_maps_of_structs_is_limited(module):
    for begin in ("0f 0002 0c 00000001", "0d 0003 08 0c 00000001 00000001"):
        payload = bytes.fromhex(begin) * 100_000
        with pytest.raises(rw.ThriftProtocolError, match="nested too deeply"):
            module.loads(module.Node, payload)


@pytest.mark.parametrize(
    "begin", ["0c 0009", "0f 0009 0c 00000001", "0d 0009 08 0c 00000001 00000001"]
)
def test_nesting_of_what_is_skipped_is_limited(module, begin):
    with pytest.raises(rw.ThriftProtocolError, match="nested too deeply"):
        module.loads(module.Empty, bytes.fromhex(begin) * 100_000)


def test_skipped_lists_of_lists_are_limited(module):
    payload = bytes.fromhex("0f 0009 0f 00000001") + bytes.fromhex("0f 00000001") * 100_000
    with pytest.raises(rw.ThriftProtocolError, match="nested too deeply"):
        module.loads(module.Empty, payload)


def test_limit_beyond_the_interpreter_is_a_protocol_error_as_well():
    module = rw.Loader(BinaryProtocol(max_depth=10**9)).loads("deep", DOCUMENT)
    for payload in (chain(100_000), b"\x0c\0\x09" * 100_000):
        with pytest.raises(rw.ThriftProtocolError, match="nested too deeply"):
            module.loads(module.Node, payload)


@pytest.mark.parametrize("depth", [0, -1])
def test_limit_must_be_positive(depth):
    with pytest.raises(ValueError, match="max_depth"):
        BinaryProtocol(max_depth=depth)


def test_odd_payload_that_is_nested_takes_linear_time(module):
    # Each level ends in an unknown field: if every level were read again by the one above it,
    # this would take 2 ** 100 steps.
    levels = 100
    payload = b"\x0c\0\1" * levels + (b"\x02\0\x09\1" + b"\0") * (levels + 1)
    before = time.process_time()
    assert module.loads(module.Node, payload).next.next is not None
    assert module.loads(module.Node, b"\x02\0\x09\1" + payload).next.next is not None
    with pytest.raises(rw.EndOfInputError):
        module.loads(module.Node, payload[:-1])
    with pytest.raises(UnicodeDecodeError):
        text = rw.Loader().loads("t", "struct N { 1: optional N next 2: optional string s }")
        bad = b"\x0c\0\1" * levels + b"\x0b\0\2\0\0\0\1\xff" + b"\0" * (levels + 1)
        text.loads(text.N, bad)
    assert time.process_time() - before < 10


# -- envelopes ----------------------------------------------------------------------------------


def test_envelope_is_written_in_the_old_form(module):
    payload = module.dumps.message(module.Service.get.request("k"), seqid=0x01020304)
    assert payload.hex(" ", 1) == ("00 00 00 03 67 65 74 01 01 02 03 04 0b 00 01 00 00 00 01 6b 00")


@pytest.mark.parametrize("strict", [False, True])
def test_both_envelopes_are_read(module, strict):
    head = b"\x80\x01\0\1\0\0\0\3get" if strict else b"\0\0\0\3get\1"
    message = module.loads.message(
        module.Service, head + b"\xff\xff\xff\xff" + b"\x0b\0\1\0\0\0\1k\0"
    )
    assert message == rw.Message(b"get", -1, 1, module.Service.get.request("k"))


def test_other_versions_are_refused(module):
    with pytest.raises(rw.ThriftProtocolError, match='Unsupported version "42"'):
        module.loads.message(module.Service, b"\x80\x2a\0\1\0\0\0\3get\0\0\0\0\0")


def test_reply_to_oneway_is_refused(module):
    with pytest.raises(rw.ThriftProtocolError, match="oneway"):
        module.loads.message(module.Service, b"\0\0\0\6forget\2\0\0\0\0\0")


def test_unknown_message_type_is_a_value_error(module):
    with pytest.raises(ValueError, match="7"):
        module.loads.message(module.Service, b"\0\0\0\3get\7\0\0\0\0\0")


def test_only_requests_and_responses_have_envelopes(module):
    with pytest.raises(TypeError, match="Only function request or response types"):
        module.dumps.message(module.Point(1, 2))


@pytest.mark.parametrize("seqid", [1 << 31, -(1 << 31) - 1])
def test_seqid_has_32_bits(module, seqid):
    with pytest.raises(rw.OutOfRangeError):
        module.dumps.message(module.Service.get.request("k"), seqid)


def test_envelope_truncated_at_every_byte_is_end_of_input(module):
    for head in (
        b"\x80\x01\0\1\0\0\0\3get\0\0\0\5",
        b"\0\0\0\3get\1\0\0\0\5",
        b"\0\0\0\1x\3\0\0\0\1",
    ):
        payload = head + b"\x0b\0\1\0\0\0\1k\0"
        for length in range(len(payload)):
            with pytest.raises(rw.EndOfInputError):
                module.loads.message(module.Service, payload[:length])


def test_huge_name_of_a_method_is_end_of_input(module):
    with pytest.raises(rw.EndOfInputError):
        module.loads.message(module.Service, b"\x7f\xff\xff\xffget")


def test_undeclared_exception_is_unknown(module):
    payload = b"\x0c\0\x09\0\0"
    with pytest.raises(rw.UnknownExceptionError, match="Service_get_response"):
        module.loads(module.Service.get.response, payload)


def test_result_of_a_void_function_is_skipped(module):
    value = module.loads(module.Service.put.response, b"\x0b\0\0\0\0\0\1x\0")
    assert value == module.Service.put.response()


# -- the reader and writer ----------------------------------------------------------------------


def test_reader_reads_what_the_writer_wrote():
    writer = BinaryWriter()
    writer.write_bool(True)
    writer.write_byte(-1)
    writer.write_i16(-2)
    writer.write_i32(-3)
    writer.write_i64(-4)
    writer.write_double(0.5)
    writer.write_binary(b"abc")
    writer.write_list_begin(8, 0)
    writer.write_map_begin(8, 11, 0)
    writer.write_field_begin(8, 7)
    writer.write_i32(1)
    writer.write_field_stop()
    reader = BinaryReader(writer.getvalue())
    assert reader.read_bool() is True
    assert [reader.read_byte(), reader.read_i16(), reader.read_i32(), reader.read_i64()] == [
        -1, -2, -3, -4,
    ]  # fmt: skip
    assert (reader.read_double(), reader.read_binary()) == (0.5, b"abc")
    assert reader.read_list_begin() == (8, 0)
    assert reader.read_map_begin() == (8, 11, 0)
    assert reader.read_field_begin() == (8, 7)
    reader.skip(8)
    assert reader.read_field_begin() == (0, 0)
    assert reader.remaining == 0


def test_lengths_beyond_the_protocol_are_refused():
    with pytest.raises(ValueError, match="Binary Protocol"):
        BinaryWriter().write_count(1 << 31)
