"""The Thrift service of every type, in its three forms."""

import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("tchannel_thrift", reason="needs tchannel-thrift")

from tchannel import TChannel, thrift_request_builder
from tchannel_testing import data

pytestmark = pytest.mark.extra

TYPES = ["bool", "byte", "i16", "i32", "i64", "double", "string", "binary", "list", "set", "map"]
KINDS = ["enum", "typedef", "struct", "union", "exception", "const", "void", "extends", "throws"]


@pytest.mark.parametrize("word", [*TYPES, *KINDS])
def test_the_idl_has_every_type_and_kind(word):
    assert f"{word} " in pathlib.Path(data.IDL).read_text().replace("<", " <")


def test_the_loaded_module_has_types_and_constants():
    everything = data.everything

    assert everything.ANSWER == 42
    assert everything.Color.BLUE == 4
    assert everything.Everything().withDefault == 42
    assert data.everything is everything


def test_there_is_nothing_else():
    with pytest.raises(AttributeError, match="elsewhere"):
        _ = data.elsewhere


@pytest.fixture
async def server():
    """Serves some functions with the loaded module."""
    server = TChannel("everything", hostport="127.0.0.1:0")
    service = data.load("everything")

    @server.thrift.register(service.EverythingService)
    def echo(request):
        return request.body.everything

    @server.thrift.register(service.EverythingService)
    def get(request):
        raise service.NotFound(key=request.body.key, message="not here")

    @server.thrift.register(service.EverythingService)
    def ping(request):
        return None

    @server.thrift.register(service.EverythingService)
    def whoAreYou(request):
        return "everything"

    server.listen()
    async with server:
        yield server


def values(module):
    """One value of each type."""
    return {
        "aBool": True,
        "aByte": -1,
        "anI16": 2**15 - 1,
        "anI32": -(2**31),
        "anI64": 2**63 - 1,
        "aDouble": 0.5,
        "aString": "é",
        "aBinary": b"\xff",
        "aColor": 2,
        "aName": "name",
        "aPoint": module.Point(x=1.0, y=2.0),
        "aList": [1, 2],
        "aSet": {"a", "b"},
        "aMap": {"a": 1},
        "scores": {"a": 2},
        "points": [module.Point(x=0.0, y=0.0)],
        "nested": {1: ["red"]},
    }


async def test_every_type_crosses_the_wire_with_the_loaded_module(server):
    module = data.load("everything", server.hostport)
    sent = module.Everything(**values(module))

    async with TChannel("client") as client:
        response = await client.thrift(module.EverythingService.echo(sent))
        assert response.body == sent
        assert (await client.thrift(module.EverythingService.ping())).body is None
        assert (await client.thrift(module.EverythingService.whoAreYou())).body == "everything"
        with pytest.raises(module.NotFound, match="not here"):
            await client.thrift(module.EverythingService.get("key"))


async def test_the_generated_module_talks_to_the_loaded_one(server):
    pytest.importorskip("thrift.Thrift", reason="needs Apache's thrift")
    generated = data.generated.everything
    builder = thrift_request_builder(
        "everything", generated.EverythingService, hostport=server.hostport
    )
    sent = generated.ttypes.Everything(**values(generated.ttypes))

    async with TChannel("client") as client:
        response = await client.thrift(builder.echo(sent))
        assert response.body == sent
        with pytest.raises(generated.ttypes.NotFound):
            await client.thrift(builder.get("key"))


@pytest.mark.parametrize(
    "program",
    [
        "import tchannel.testing.data; data = tchannel.testing.data",
        "from tchannel.testing import data",
        "from tchannel.testing.data import IDL, load; from tchannel.testing import data",
        "import importlib; data = importlib.import_module('tchannel.testing.data')",
    ],
)
def test_it_is_the_same_module_by_either_name(program):
    check = "import tchannel_testing.data; assert data is tchannel_testing.data, data"

    subprocess.run([sys.executable, "-c", f"{program}; {check}"], check=True, timeout=30)


def test_without_apaches_library_the_generated_form_says_what_to_install():
    program = """if True:
        import sys
        sys.modules["thrift"] = None
        from tchannel_testing import data
        data.generated
        """

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )

    # 3.15 adds which module may be meant instead.
    assert run.stderr.splitlines()[-1].startswith(
        "ModuleNotFoundError: data.generated needs Apache's library: pip install thrift"
    )
