"""The Thrift double, called by a real channel."""

import subprocess
import sys

import pytest

pytest.importorskip("tchannel_thrift", reason="needs tchannel-thrift")

from tchannel import TChannel, errors, thrift
from tchannel_testing import data
from tchannel_testing.thrift_service import FakeThriftService

pytestmark = pytest.mark.extra


@pytest.fixture
async def service():
    """The double of everything, listening."""
    async with FakeThriftService("everything", data.IDL) as service:
        yield service


@pytest.fixture
async def call(service):
    """Calls a function of the double; the result is what it returned."""
    module = data.load("everything", service.hostport)
    async with TChannel("caller") as client:

        async def call(function, *args, headers=None, **kwargs):
            request = getattr(module.EverythingService, function)(*args, **kwargs)
            return (await client.thrift(request, headers)).body

        call.module = module
        yield call


@pytest.mark.parametrize(
    ("function", "arguments", "result"),
    [
        ("whoAreYou", [], ""),
        ("ping", [], None),
        ("put", ["key", "value"], None),
        ("isSet", [True], False),
        ("nextByte", [1], 0),
        ("nextI16", [1], 0),
        ("nextI32", [1], 0),
        ("nextI64", [1], 0),
        ("half", [1.0], 0.0),
        ("upper", ["a"], ""),
        ("reverse", [b"a"], b""),
        ("nextColor", [1], 1),
        ("sorted", [[2, 1]], []),
        ("words", ["a b"], set()),
        ("count", [["a"]], {}),
    ],
)
async def test_every_function_answers_from_the_start(call, function, arguments, result):
    answer = await call(function, *arguments)

    assert answer == result
    assert type(answer) is type(result)


async def test_structs_and_unions_have_defaults_too(call):
    module = call.module

    assert await call("echo", module.Everything()) == module.Everything()
    shape = await call("echoShape", module.Shape(name="x"))
    assert shape.point == module.Point(x=0.0, y=0.0)


async def test_a_function_answers_as_told(service, call):
    service.on("get").answers("one").raises(call.module.NotFound(key="k")).fails(errors.BUSY)

    assert await call("get", "k") == "one"
    with pytest.raises(call.module.NotFound) as caught:
        await call("get", "k")
    assert caught.value.key == "k"


async def test_calls_are_remembered_with_their_arguments(service, call):
    await call("put", "k", "v", headers={"h": "1"})

    service.assert_called_with(
        "put", body={"key": "k", "value": "v"}, headers={"h": "1"}, scheme="thrift"
    )
    with pytest.raises(AssertionError, match="'value': 'w'"):
        service.assert_called_with("put", body={"key": "k", "value": "w"})
    service.assert_not_called("get")


def test_an_unknown_function_is_refused_and_those_there_are_named():
    service = FakeThriftService("everything", data.everything)

    with pytest.raises(ValueError, match=r"EverythingService has no function 'gte'; it has .*get"):
        service.on("gte")
    with pytest.raises(ValueError, match="thrift, not 'json'"):
        service.on("get", "json")


def test_one_of_several_services_has_to_be_named(tmp_path):
    path = tmp_path / "two.thrift"
    path.write_text("service A { void a() } service B { void b() oneway void c() }")

    with pytest.raises(ValueError, match="A, B"):
        FakeThriftService("two", path)
    with pytest.raises(ValueError, match="A, B"):
        FakeThriftService("two", path, "C")
    assert FakeThriftService("two", path, "B").on("b")


def test_a_struct_that_requires_itself_has_no_default(tmp_path):
    path = tmp_path / "endless.thrift"
    path.write_text("struct A { 1: required A a } service S { A a() }")

    with pytest.raises(ValueError, match="A -> A requires itself"):
        FakeThriftService("endless", path)


async def test_a_module_of_load_is_taken_as_well():
    module = thrift.load(data.IDL, service="s")
    async with FakeThriftService("s", module, "Base") as service, TChannel("caller") as client:
        service.on("whoAreYou").answers("me")
        response = await client.thrift(module.Base.whoAreYou(), hostport=service.hostport)

    assert response.body == "me"


def test_without_tchannel_thrift_it_says_what_to_install():
    code = """
import sys
sys.modules["tchannel_thrift"] = None
import tchannel_testing.thrift_service
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert b"pip install tchannel-testing[thrift]" in result.stderr
