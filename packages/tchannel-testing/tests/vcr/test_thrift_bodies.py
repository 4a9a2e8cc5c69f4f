"""Thrift bodies in cassettes: fields and values, and the same bytes again."""

import subprocess
import sys
import textwrap
import uuid

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tchannel import TChannel, errors
from tchannel_testing import data, vcr
from tchannel_testing.vcr import Failure, Interaction, Request, Response, yaml_format
from tchannel_testing.vcr.yaml_format import dump
from tchannel_testing.vcr.yaml_reader import load
from tchannel_wire import encode_thrift_headers

pytest.importorskip("tchannel_thrift", reason="needs tchannel-thrift")

from tchannel_testing.vcr import thrift_bodies  # after the look whether it can be had
from tchannel_testing.vcr.thrift_bodies import ttype  # as above

pytestmark = pytest.mark.extra

NO_HEADERS = encode_thrift_headers({})
# 1: "b", 2: i32 1
BODY = b"\x0b\0\x01\0\0\0\x01b\x08\0\x02\0\0\0\x01\0"


def call(body=BODY, response=BODY, headers=NO_HEADERS):
    request = Request("kv", "KeyValue::get", headers, body, scheme="thrift")
    return Interaction(request, Response(0, NO_HEADERS, response, {"as": "thrift"}))


def bodies_of(text):
    """The body of the request in a cassette, as it stands there."""
    lines = text.splitlines()
    start = lines.index("    body:")
    end = next(n for n in range(start + 1, len(lines)) if lines[n].startswith("    e"))
    return textwrap.dedent("\n".join(lines[start + 1 : end])) + "\n"


def struct_of(*fields):
    return thrift_bodies.encode(list(fields))


def test_a_thrift_call_reads_as_fields_and_values():
    text = dump([call(headers=encode_thrift_headers({"language": "é"}))]).decode()

    assert (
        text
        == """\
interactions:
- request:
    argScheme: 2
    body:
      1: b
      2: 1
    endpoint: KeyValue::get
    headers:
      language: é
    hostPort: ''
    knownPeers: []
    serviceName: kv
    transportHeaders: []
  response:
    body:
      1: b
      2: 1
    code: 0
    headers: {}
version: 1
"""
    )


def test_types_stand_beside_the_id_where_the_value_does_not_tell_them():
    inner = [(1, (ttype.BOOL,), True)]
    body = struct_of(
        (1, (ttype.BYTE,), -1),
        (2, (ttype.I16,), 2),
        (3, (ttype.I64,), 1 << 40),
        (4, (ttype.DOUBLE,), 1e20),
        (5, (ttype.BINARY,), b"\xff"),
        (6, (ttype.LIST, (ttype.BINARY,)), [b"5", b"true", b"a: b", b""]),
        (7, (ttype.SET, (ttype.STRUCT,)), [inner]),
        (8, (ttype.MAP, (ttype.BINARY,), (ttype.LIST, (ttype.I32,))), [(b"k", [1]), (b"l", [])]),
        (9, (ttype.MAP, (ttype.STRUCT,), (ttype.BINARY,)), [(inner, b"v")]),
        (10, (ttype.LIST, (ttype.LIST,)), []),
        (11, (ttype.UUID,), uuid.UUID(int=1)),
        (12, (ttype.STRUCT,), []),
    )

    text = dump([call(body)]).decode()

    assert (
        bodies_of(text)
        == """\
1 byte: -1
2 i16: 2
3 i64: 1099511627776
4 double: 1.0e+20
5: !!binary |
  /w==
6 list<string>:
- '5'
- 'true'
- 'a: b'
- ''
7 set<struct>:
- 1: true
8 map<string, list<i32>>:
  k:
  - 1
  l: []
9 map<struct, string>:
- - 1: true
  - v
10 list<list>: []
11 uuid: 00000000-0000-0000-0000-000000000001
12: {}
"""
    )
    assert load(text.encode(), "file")[0].request.body == body


scalars = st.one_of(
    st.tuples(st.just((ttype.BOOL,)), st.booleans()),
    st.tuples(st.just((ttype.BYTE,)), st.integers(-128, 127)),
    st.tuples(st.just((ttype.I16,)), st.integers(-(1 << 15), (1 << 15) - 1)),
    st.tuples(st.just((ttype.I32,)), st.integers(-(1 << 31), (1 << 31) - 1)),
    st.tuples(st.just((ttype.I64,)), st.integers(-(1 << 63), (1 << 63) - 1)),
    # A NaN with a payload stays bytes, as below.
    st.tuples(st.just((ttype.DOUBLE,)), st.floats(allow_nan=False) | st.just(float("nan"))),
    st.tuples(
        st.just((ttype.BINARY,)), st.binary(max_size=5) | st.text(max_size=5).map(str.encode)
    ),
    st.tuples(st.just((ttype.UUID,)), st.uuids()),
)
ids = st.integers(-0x8000, 0x7FFF)


def structs(values):
    fields = st.lists(st.tuples(ids, values), max_size=4)
    return fields.map(lambda some: ((ttype.STRUCT,), [(n, *value) for n, value in some]))


def containers(values):
    """Lists and sets of one value, and maps of two, each some times over."""
    lists = st.tuples(st.sampled_from([ttype.LIST, ttype.SET]), values, st.integers(1, 3)).map(
        lambda it: ((it[0], it[1][0]), [it[1][1]] * it[2])
    )
    maps = st.tuples(values, values, st.integers(1, 3)).map(
        lambda it: ((ttype.MAP, it[0][0], it[1][0]), [(it[0][1], it[1][1])] * it[2])
    )
    return lists | maps | structs(values)


bodies = structs(st.recursive(scalars, containers, max_leaves=8)).map(lambda it: it[1])


@given(bodies)
def test_whatever_is_encoded_reads_back_as_the_same_bytes(fields):
    body = thrift_bodies.encode(fields)

    (again,) = load(dump([call(body)]), "file")

    assert again.request.body == body
    assert thrift_bodies.decode(body) is not None


@given(st.binary(max_size=40))
def test_what_is_no_thrift_stays_bytes(body):
    (again,) = load(dump([call(body)]), "file")

    assert again.request.body == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x02\0\x01\x02\0",  # a bool that is 2
        b"\x04\0\x01\x7f\xf8\0\0\0\0\0\x01\0",  # NaN with a payload
        BODY + b"\0",
        b"\x0f\0\x01\0\0\0\0\0\0",  # an empty list of no type
        b"\x0c\0\x01" * 40 + b"\0" * 41,
        b"\x80\x01\0\x01\0\0\0\x03get\0\0\0\0\0",  # an envelope
        b"\x0b\0\x01\x7f\xff\xff\xffb",
    ],
    ids=["empty", "bool", "nan", "more", "untyped", "deep", "envelope", "short"],
)
def test_what_would_not_give_the_same_bytes_stays_bytes(body):
    text = dump([call(body)])

    assert b"    body:\n" not in text.split(b"endpoint")[0]
    assert load(text, "file")[0].request.body == body


def test_text_may_be_edited_by_hand():
    text = dump([call()]).decode().replace("1: b", "1: another text", 1).replace("2: 1", "2 i64: 7")

    (again,) = load(text.encode(), "file")

    assert thrift_bodies.text_of(thrift_bodies.decode(again.request.body), typed=True) == (
        '{1: "another text", 2 i64: 7}'
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x: b", "a field is called by its id, as in 1 or '1 i64', not 'x'"),
        ("1 int: b", "'int' is no type: string, "),
        ("1 map<string>: {}", "'map<string>' is no type: a map has two, as in map<string, i32>"),
        ("1 list<string: []", "'list<string' is no type: '>' is missing"),
        ("1 i64 i64: 3", "' i64' follows the type in '1 i64 i64'"),
        ("70000: b", "the id 70000 is no 16-bit number"),
        ("1: 1.5", "field 1 of body of the request of interaction 1 needs its type beside the id"),
        ("1: [a]", "needs its type beside the id"),
        ("1: 3000000000", "must be a number of 32 bits, not 3000000000"),
        ("1 i64: text", "must be a number, not 'text'"),
        ("1 bool: 1", "must be true or false"),
        ("1 double: x", "must be a number"),
        ("1 uuid: x", "must be a UUID"),
        ("1 list: []", "needs the type of its elements, as in list<string>"),
        ("1 list<i32>: {}", "must be a list, not a mapping"),
        ("1 struct: b", "must be a mapping of fields"),
        ("1 map<i32, i32>: [[1]]", "must be a list of a key and a value"),
        ("1 string: 5", "must be text or !!binary, not '5' (!!int): put it in quotes"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_field(line, problem):
    text = dump([call()]).decode().replace("1: b", line, 1)

    with pytest.raises(vcr.InvalidCassetteError) as caught:
        load(text.encode(), "file")

    assert caught.value.line == 5
    assert problem in str(caught.value)


def test_a_mapping_is_for_thrift_alone():
    text = dump([call()]).decode().replace("argScheme: 2", "argScheme: 0")
    text = text.replace("    headers: {}\n", "")

    with pytest.raises(
        vcr.InvalidCassetteError, match=r"body .* must be text or !!binary, not a map"
    ):
        load(text.encode(), "file")


def test_what_a_file_has_as_bytes_stays_bytes_and_new_calls_are_fields(path):
    path.parent.mkdir()
    path.write_bytes(dump([call()], thrift_as_bytes=True))
    assert b"!!binary" in path.read_bytes()

    cassette = vcr.Cassette(path, "new_episodes")
    cassette.record(call().request, call().response)
    cassette.save()

    old, new = path.read_text().split("- request:")[1:]
    assert "!!binary" in old
    assert "body: !!binary" not in new
    assert [one.request for one in vcr.Cassette(path).interactions] == [call().request] * 2


def test_a_cassette_for_other_readers_keeps_everything_as_bytes(path):
    with vcr.use_cassette(path, thrift_as_bytes=True) as cassette:
        cassette.record(call().request, call().response)
        cassette.record(call().request, Failure(3, "BusyError", "busy"))

    assert path.read_text().count("body: !!binary") == 3
    assert path.read_text().count("headers: !!binary") == 3


def test_a_failed_call_reads_as_fields_too(path):
    with vcr.use_cassette(path) as cassette:
        cassette.record(call().request, Failure(3, "BusyError", "busy"))

    assert "binary" not in path.read_text()
    with pytest.raises(errors.BusyError):
        vcr.Cassette(path).replay(call().request)


def test_a_file_is_the_same_by_either_emitter(monkeypatch):
    recorded = [call(struct_of((1, (ttype.I64,), 5), (2, (ttype.LIST, (ttype.DOUBLE,)), [0.5])))]
    ours = dump(recorded)
    plain = type("Plain", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    plain.yaml_representers = yaml_format._Dumper.yaml_representers
    monkeypatch.setattr(yaml_format, "_Dumper", plain)

    assert dump(recorded) == ours


def test_the_order_of_fields_sets_and_maps_does_not_matter():
    one = struct_of(
        (1, (ttype.SET, (ttype.BINARY,)), [b"a", b"b"]),
        (2, (ttype.MAP, (ttype.I32,), (ttype.BOOL,)), [(1, True), (2, False)]),
    )
    other = struct_of(
        (2, (ttype.MAP, (ttype.I32,), (ttype.BOOL,)), [(2, False), (1, True)]),
        (1, (ttype.SET, (ttype.BINARY,)), [b"b", b"a"]),
    )
    lists = [struct_of((1, (ttype.LIST, (ttype.I32,)), items)) for items in ([1, 2], [2, 1])]

    match = vcr.MATCHERS["body"]
    assert match(call(one).request, call(other).request)
    assert not match(call(lists[0]).request, call(lists[1]).request)
    assert not match(call(one).request, call(b"no Thrift").request)


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (struct_of((1, (ttype.BINARY,), b"c")), 'now {1: "c"}, recorded {1: "b", 2: 1}'),
        (
            struct_of((1, (ttype.BINARY,), b"b"), (2, (ttype.I64,), 1)),
            'now {1: "b", 2 i64: 1}, recorded {1: "b", 2: 1}',
        ),
        (
            struct_of((3, (ttype.SET, (ttype.BOOL,)), [True]), (4, (ttype.BINARY,), b"\xff\x1b")),
            "now {3: {true}, 4: b'\\xff\\x1b'}, recorded",
        ),
        (struct_of((1, (ttype.BINARY,), b"\x1b[2J")), 'now {1: "\\u001b[2J"}'),
        (b"no Thrift", "now b'no Thrift', recorded b'"),
    ],
)
def test_a_mismatch_shows_fields_and_values(path, now, text):
    with vcr.use_cassette(path) as cassette:
        cassette.record(call().request, call().response)

    explained = vcr.Cassette(path, "none").explain(call(now).request)

    assert f"  body differs: {text}" in explained


def test_differing_headers_are_shown_as_headers(path):
    with vcr.use_cassette(path) as cassette:
        cassette.record(call().request, call().response)

    live = call(headers=encode_thrift_headers({"who": "me"})).request

    assert "headers differs: now {'who': 'me'}, recorded {}" in vcr.Cassette(path).explain(live)


async def test_a_real_conversation_of_every_type_replays_without_its_service(path):
    everything = data.load("everything")
    points = [everything.Point(x=1.0, y=-0.0)]
    value = everything.Everything(
        aBool=True, aByte=1, anI64=2, aDouble=0.5, aBinary=b"\xff", aSet={"a", "b"}, points=points
    )

    async def talk(client):
        response = await client.thrift(everything.EverythingService.echo(value))
        with pytest.raises(everything.NotFound, match="key"):
            await client.thrift(everything.EverythingService.get("key"))
        return response.body

    server = TChannel("everything", "127.0.0.1:0")
    server.thrift.register(
        everything.EverythingService, handler=lambda request: request.body.everything, method="echo"
    )

    @server.thrift.register(everything.EverythingService)
    def get(request):
        raise everything.NotFound(key=request.body.key)

    server.listen()
    async with server, TChannel("client", known_peers=[server.hostport]) as client:
        with vcr.use_cassette(path):
            recorded = await talk(client)
    async with TChannel("client") as client:
        with vcr.use_cassette(path, "none") as cassette:
            assert await talk(client) == recorded == value
            assert cassette.all_played

    assert "anI64" not in path.read_text()
    assert "5 i64: 2" in path.read_text()


def test_without_tchannel_thrift_the_file_says_what_to_install(path):
    path.parent.mkdir()
    path.write_bytes(dump([call()]))
    code = """
        import sys
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name == "tchannel_thrift":
                    raise ModuleNotFoundError("No module", name=name)
        sys.meta_path.insert(0, Missing())
        from tchannel_testing import vcr
        try:
            vcr.Cassette(sys.argv[1])
        except vcr.InvalidCassetteError as error:
            print(error)
        """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "line 5: body of the request of interaction 1 is a mapping" in done.stdout, done.stderr
    assert "pip install tchannel-testing[thrift]" in done.stdout


def test_without_tchannel_thrift_bodies_stay_bytes(monkeypatch):
    monkeypatch.setattr(yaml_format, "thrift_bodies", lambda: None)

    assert b"body: !!binary" in dump([call()])
