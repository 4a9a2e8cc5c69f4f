"""Code that Apache's compiler made, beyond what every kind of module does."""

import importlib
import sys

import pytest

from tchannel import Response, TChannel, thrift
from tchannel_thrift.service import services_in

FLAVOURS = ["apache_dynamic", "apache_plain"]


@pytest.fixture(params=FLAVOURS)
def flavour(request):
    return request.param


async def echo(server, client, service, function, *arguments):
    """Call a function whose handler returns its first argument."""

    def handler(request):
        return getattr(request.body, first)

    args = thrift.thrift_request_builder("keyvalue", service)
    request = getattr(args, function)(*arguments)
    first = next(entry[2] for entry in request.call_args.thrift_spec if entry is not None)
    server.thrift.register(service, handler, function)
    return (await client.thrift(request)).body


async def test_the_pure_python_protocol_does_what_the_c_one_does(
    server, client, load_kind, flavour, monkeypatch
):
    kind = load_kind(flavour)
    # As where thrift was installed without a compiler.
    monkeypatch.setitem(sys.modules, "thrift.protocol.fastbinary", None)
    import thrift.protocol

    monkeypatch.delattr(thrift.protocol, "fastbinary", raising=False)

    point = kind.shared.Point(1, 2)
    assert await echo(server, client, kind.service, "move", point) == point
    assert await echo(server, client, kind.service, "toList", [1, 2]) == [1, 2]

    with pytest.raises(TypeError, match="Field number of toNumber_args is invalid: 'x' is no int"):
        client.thrift(kind.request("toNumber", "x"))


@pytest.mark.parametrize(
    ("function", "value", "message"),
    [
        ("getValue", 5, "Field key of getValue_args is invalid: 5 is no str"),
        ("toNumber", 1 << 40, "Field number of toNumber_args is invalid: 1099511627776 does not"),
        ("toDouble", "x", "Field number of toDouble_args is invalid: 'x' is no number"),
        ("toBinary", 5, "Field data of toBinary_args is invalid: 5 is no bytes"),
        ("toList", 5, "Field numbers of toList_args is invalid: 5 is no list"),
        ("toSet", {"a"}, "Field numbers of toSet_args is invalid: 'a' is no int"),
        ("toMap", {"a": "b"}, "Field numbers of toMap_args is invalid: 'b' is no int"),
        ("toMap", {5: 5}, "Field numbers of toMap_args is invalid: 5 is no str"),
        ("toMap", 5, "Field numbers of toMap_args is invalid: 5 is no map"),
        ("move", 5, "Field point of move_args is invalid: 5 is no Point"),
    ],
)
def test_a_value_that_does_not_fit_is_named(load_kind, flavour, function, value, message):
    kind = load_kind(flavour)

    with pytest.raises((TypeError, ValueError), match=message):
        TChannel("client").thrift(kind.request(function, value), hostport="127.0.0.1:1")


def test_a_field_within_a_field_is_named(load_kind, flavour):
    kind = load_kind(flavour)
    points = [kind.shared.Point(1, 2), kind.shared.Point(1, "two")]

    with pytest.raises(TypeError, match="Field y of Point is invalid: 'two' is no int"):
        TChannel("client").thrift(kind.request("draw", points), hostport="127.0.0.1:1")


def test_values_that_contain_themselves_or_nest_too_deeply_are_refused(apache, flavour):
    text = "struct Node { 1: Node next } service Nodes { void put(1: Node node) }"
    service = apache(flavour, "nodes.Nodes", text)
    types = apache(flavour, "nodes.ttypes")
    endless, deep = types.Node(), types.Node()
    endless.next = endless
    for _ in range(5000):
        deep = types.Node(deep)
    builder = thrift.thrift_request_builder("keyvalue", service, hostport="127.0.0.1:1")

    for node in (endless, deep):
        with pytest.raises(ValueError, match="put_args contains itself or is nested too deeply"):
            TChannel("client").thrift(builder.put(node))


async def test_arguments_without_ids_are_sent_by_plain_code(server, client, apache):
    text = "service Old { string join(string left, string right) }"
    service = apache("apache_plain", "old.Old", text)
    server.thrift.register(service, lambda request: request.body.left + request.body.right, "join")
    builder = thrift.thrift_request_builder("keyvalue", service)

    assert (await client.thrift(builder.join("a", right="b"))).body == "ab"


def test_arguments_without_ids_are_refused_in_dynamic_code(apache):
    text = "service Old { string join(string left, string right) }"
    service = apache("apache_dynamic", "old.Old", text)

    with pytest.raises(ValueError, match="join_args has fields without ids"):
        TChannel("server").thrift.register(service, lambda request: "", "join")


def test_a_package_without_services_is_refused(apache, flavour):
    package = apache(flavour, "bare", "struct S { 1: i32 x }")

    with pytest.raises(ValueError, match="has no services"):
        services_in(package)


async def test_headers_of_a_response_go_with_apache_results(server, client, load_kind, flavour):
    kind = load_kind(flavour)
    server.thrift.register(kind.service, lambda request: Response("v", {"a": "b"}), "getValue")

    response = await client.thrift(kind.request("getValue", "k"))

    assert (response.body, response.headers) == ("v", {"a": "b"})


def test_without_the_thrift_package_its_code_says_so_and_loading_does_not_need_it(
    apache, idl, monkeypatch
):
    # The generated code imports `thrift` itself: nothing of ours stands between.
    apache("apache_plain", "keyvalue.KeyValue")
    for name in [n for n in sys.modules if n.split(".")[0] in {"thrift", "apache_plain"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "thrift", None)

    with pytest.raises(ModuleNotFoundError, match="thrift"):
        importlib.import_module("apache_plain.keyvalue.KeyValue")
    assert thrift.load(idl / "keyvalue.thrift", service="s").KeyValue.nothing() is not None
