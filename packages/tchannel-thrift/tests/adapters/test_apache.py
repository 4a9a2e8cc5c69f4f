"""Code that Apache's compiler made, beyond what every kind of module does."""

import importlib
import sys

import pytest

from tchannel import Response, TChannel, thrift
from tchannel.errors import BadRequestError
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
    assert await echo(server, client, kind.service, "move", point, None) == point
    assert await echo(server, client, kind.service, "toList", [1, 2]) == [1, 2]

    with pytest.raises(TypeError, match="Field number of toNumber_args is invalid: Cannot serial"):
        client.thrift(kind.request("toNumber", "x"))


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


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "body",
    [b"\x0c\0\x09" * 200_000, b"\x0c\0\1" * 200_000, b"\x0f\0\x09" + b"\x0f\0\0\0\1" * 200_000],
    # pytest has the name of the test in the environment, where a megabyte of it lets no compiler start.
    ids=["unknown fields", "known fields", "lists"],
)
async def test_a_deep_body_is_a_bad_request_whatever_version_of_thrift_reads_it(
    server, client, load_kind, flavour, monkeypatch, old, body
):
    if old:  # the C protocol before thrift 0.23 counts no levels, and would crash the process
        counter = "thrift.protocol.TProtocol.TProtocolBase.increment_recursion_depth"
        monkeypatch.delattr(counter, raising=False)
    server.thrift.register(load_kind(flavour).service, lambda request: "value", "getValue")

    with pytest.raises(BadRequestError, match="nested too deeply" if old else "KeyValue::getValue"):
        await client.call("thrift", "keyvalue", "KeyValue::getValue", b"\0\0", body)


async def test_arguments_without_ids_are_sent_by_plain_code(server, client, apache):
    text = "service Old { string join(string left, string right) }"
    service = apache("apache_plain", "old.Old", text)
    server.thrift.register(service, lambda request: request.body.left + request.body.right, "join")
    builder = thrift.thrift_request_builder("keyvalue", service)

    assert (await client.thrift(builder.join("a", right="b"))).body == "ab"


async def test_a_struct_without_ids_within_arguments_is_sent_by_plain_code(server, client, apache):
    text = """
    struct Pair { string left, string right }
    service Older { Pair swap(1: list<Pair> pairs) }
    """
    service = apache("apache_plain", "older.Older", text)
    pair = apache("apache_plain", "older.ttypes").Pair
    server.thrift.register(
        service,
        lambda request: pair(request.body.pairs[0].right, request.body.pairs[0].left),
        "swap",
    )
    builder = thrift.thrift_request_builder("keyvalue", service)

    assert (await client.thrift(builder.swap([pair("a", "b")]))).body == pair("b", "a")
    with pytest.raises(TypeError, match="swap_args is invalid: "):
        client.thrift(builder.swap([pair("a", 5)]))


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
