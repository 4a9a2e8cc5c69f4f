"""Values that are not what the IDL says, in every kind of Thrift module: none of them is sent."""

import sys

import pytest

from tchannel import TChannel, thrift
from tchannel.errors import UnexpectedError
from tchannel_thrift import rw
from tchannel_thrift.rw.codegen import warmup

FLAVOURS = ["apache_dynamic", "apache_plain"]
KINDS = ["engine", *FLAVOURS]
if sys.version_info < (3, 12):
    KINDS.append("thriftrw")

WRONG_TYPES = {
    "flag": ["yes", 1.0, [], b"\1"],
    "tiny": ["1", 1.0, b"1"],
    "little": ["1", 1.0],
    "medium": ["1", 1.0, [1]],
    "big": ["1", 1.0],
    "ratio": ["0.5", b"0.5", [0.5], 1j],
    "text": [5, ["a"], bytearray(b"a"), True],
    "data": [5, ["a"], bytearray(b"a"), memoryview(b"a")],
    "kind": ["SMALL", 1.0],
    "inner": [5, {"number": 1}, "Inner"],
    "choice": [5, {"number": 1}],
    "failure": [5, ValueError("why")],
    "numbers": [5, ["1"], [1, 1.0], [None], True],
    "names": [5, {5}, {b"a", 5}, {None}],
    "counts": [5, [("a", 1)], {"a": "1"}, {5: 1}, {"a": None}, {None: 1}],
    "flags": [5, ["yes"], [True, 1.0], [None]],
    "flagSet": [5, {"yes"}, {1.5}],
    "flagMap": [5, {"yes": True}, {True: "yes"}],
    "matrix": [5, [5], [["0.5"]], [[0.5], None]],
    "inners": [5, [5], [{"number": 1}], [None]],
    "choices": [5, {1: 5}, {"1": 5}],
    "kinds": [5, ["SMALL"]],
    "blobs": [5, [bytearray(b"a")], [5]],
}
OUT_OF_RANGE = {
    "tiny": [-129, 128],
    "little": [-(1 << 15) - 1, 1 << 15],
    "medium": [-(1 << 31) - 1, 1 << 31],
    "big": [-(1 << 63) - 1, 1 << 63, 1 << 64, 10**5000],
    "ratio": [10**400],
    "text": ["\ud800"],
    "data": ["\ud800"],
    "kind": [1 << 31],
    "numbers": [[1 << 31], [1, -(1 << 40)]],
    "names": [{"\ud800"}],
    "counts": [{"a": 1 << 31}, {"\ud800": 1}],
    "choices": [{1 << 15: None}],
    "kinds": [[1 << 31]],
}
RIGHT = {
    "flag": [True, False, 1, 0],
    "tiny": [-128, 127],
    "little": [-(1 << 15), (1 << 15) - 1],
    "medium": [-(1 << 31), (1 << 31) - 1],
    "big": [-(1 << 63), (1 << 63) - 1],
    "ratio": [0.5, 5],
    "text": ["", "a", "ä", b"a"],
    "data": [b"", b"\xff"],
    "kind": [1, 5],
    "numbers": [[], [1], (1, 2)],
    "names": [set(), {"a"}, frozenset({"b"})],
    "counts": [{}, {"a": 1}],
    "flags": [[], [True, False]],
    "flagSet": [{True}],
    "flagMap": [{True: False}],
    "matrix": [[], [[]], [[0.5, 1]]],
    "kinds": [[1, 2]],
    "blobs": [[b"a"]],
}


def cases(table):
    return [
        pytest.param(field, value, id=f"{field}-{index}")
        for field, values in table.items()
        for index, value in enumerate(values)
    ]


class Module:
    """The types of everything.thrift, and what sends them."""

    def __init__(self, service, types):
        self.types = types
        self.service = service

    def put(self, all=None, flag=None, choice=None, hostport="127.0.0.1:1"):
        """Make a request; functions of Apache's code want all their arguments."""
        builder = thrift.thrift_request_builder("keyvalue", self.service, hostport)
        return builder.put(all, flag, choice)

    def send(self, *args, **kwargs):
        """Send arguments to an address where nobody is: what is refused raises here."""
        return TChannel("client").thrift(self.put(*args, **kwargs))

    def holding(self, **values):
        """An `All` whose fields were set after it was made, when nobody looks at them."""
        made = self.types.All()
        for name, value in values.items():
            setattr(made, name, value)
        return made


@pytest.fixture(params=["first uses", "generated"], autouse=True)
def uses(request, monkeypatch):
    """Every test runs twice: as the first use of a function, and with the code generated for it."""
    if request.param == "generated":
        monkeypatch.setattr(warmup, "USES", 0)


@pytest.fixture(params=KINDS)
def module(request, idl):
    if request.param in FLAVOURS:
        apache = request.getfixturevalue("apache")
        return Module(
            apache(request.param, "everything.Everything"),
            apache(request.param, "everything.ttypes"),
        )
    library = rw if request.param == "engine" else pytest.importorskip("thriftrw")
    loaded = library.load(str(idl / "everything.thrift"))
    return Module(loaded.Everything, loaded)


@pytest.mark.parametrize(("field", "value"), cases(WRONG_TYPES))
def test_a_value_of_a_wrong_type_is_a_type_error_naming_struct_and_field(module, field, value):
    with pytest.raises(TypeError, match=f"Field {field} of All is invalid: "):
        module.send(module.holding(**{field: value}))


@pytest.mark.parametrize(("field", "value"), cases(OUT_OF_RANGE))
def test_a_value_out_of_range_is_a_value_error_naming_struct_and_field(module, field, value):
    with pytest.raises(ValueError, match=f"Field {field} of All is invalid"):
        module.send(module.holding(**{field: value}))


@pytest.mark.parametrize(("field", "value"), cases(RIGHT))
async def test_a_value_that_fits_is_sent(server, client, module, field, value):
    server.thrift.register(module.service, lambda request: request.body.all, "put")
    request = module.put(module.holding(**{field: value}), hostport=None)
    body = (await client.thrift(request)).body

    read = getattr(body, field)
    expected = value.decode() if field == "text" and isinstance(value, bytes) else value
    expected = list(expected) if isinstance(expected, tuple) else expected
    assert read == expected


def test_every_field_of_the_idl_is_in_the_tables(module):
    names = {field for field in dir(module.types.All()) if field in WRONG_TYPES}

    assert names == set(WRONG_TYPES)
    assert len(names) == 23


@pytest.mark.parametrize("value", ["yes", 1.5, []])
def test_an_argument_that_is_no_bool_is_refused(module, value):
    with pytest.raises(TypeError, match=r"Field flag of .*put.* is invalid: "):
        module.send(module.types.All(), flag=value)


@pytest.mark.parametrize("place", ["inner", "inners"])
def test_a_struct_that_looks_like_the_right_one_is_refused(module, place):
    other = module.types.Other(number=1)
    holding = module.holding(**{place: other if place == "inner" else [other]})

    with pytest.raises(TypeError, match=f"Field {place} of All is invalid: "):
        module.send(holding)


@pytest.mark.parametrize("place", ["inner", "inners"])
def test_the_field_of_a_struct_within_a_struct_is_named(module, place):
    inner = module.types.Inner(number=1)
    inner.number = "one"
    holding = module.holding(**{place: inner if place == "inner" else [inner]})

    with pytest.raises(TypeError, match="Field number of Inner is invalid: "):
        module.send(holding)


async def test_a_result_that_does_not_fit_is_an_unexpected_error_naming_the_field(
    server, client, module
):
    server.thrift.register(module.service, lambda request: module.holding(flag="yes"), "put")
    with pytest.raises(UnexpectedError, match="Field flag of All is invalid: "):
        await client.thrift(module.put(module.types.All(), hostport=None))


# -- what generated code does not know: dynamic no required fields, neither of Apache's a union ------


@pytest.mark.parametrize("module", ["engine", "apache_plain", *KINDS[3:]], indirect=True)
@pytest.mark.parametrize("gone", ["None", "deleted"])
def test_a_required_field_that_is_gone_is_refused(module, gone):
    inner = module.types.Inner(number=1)
    if gone == "None":
        inner.number = None
    else:
        del inner.number

    with pytest.raises(TypeError, match='Field "number" of "Inner" is required'):
        module.send(module.holding(inner=inner))


@pytest.mark.parametrize("module", ["engine", *KINDS[3:]], indirect=True)
@pytest.mark.parametrize("place", ["choice", "choices", "argument"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"number": None}, r"Choice\(\) did not receive any values"),
        ({"text": "b"}, r'Choice\(\) received multiple values, "number" and "text"'),
    ],
)
def test_a_union_without_exactly_one_value_is_refused(module, place, values, message):
    choice = module.types.Choice(number=1)
    for name, value in values.items():
        setattr(choice, name, value)
    held = {"choice": choice} if place == "choice" else {"choices": {1: choice}}

    with pytest.raises(TypeError, match=message):
        if place == "argument":
            module.send(module.types.All(), choice=choice)
        else:
            module.send(module.holding(**held))


@pytest.mark.parametrize("module", ["engine", *KINDS[3:]], indirect=True)
async def test_a_union_without_fields_is_sent(server, client, module):
    server.thrift.register(module.service, lambda request: request.body.all, "put")
    nothing = module.types.Nothing()

    response = await client.thrift(module.put(module.holding(nothing=nothing), hostport=None))

    assert response.body.nothing == nothing


def test_arguments_that_must_be_given_are_named(load_kind):
    for name in ("engine", "apache_plain"):
        with pytest.raises(
            TypeError, match=r"getValue_.*\"key\" missing|getValue\(\) is missing .* 'key'"
        ):
            load_kind(name).request("getValue")
