"""Our channel calls the Thrift services of tchannel-node 4.0.1 and 3.10.1, and tchannel-python 2.1.0."""

import shutil
import subprocess
import sys

import pytest
from thirdparty.install import IDL as FOLDER

import tchannel.sync
from tchannel import TChannel, errors, thrift
from tchannel.lowlevel import inside
from tchannel_thrift import rw
from tchannel_thrift.meta import Meta

IDL = FOLDER / "keyvalue.thrift"


@pytest.fixture
async def channel():
    async with TChannel("our-client") as made:
        yield made


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """The peers' IDL, made by Apache's compiler with the guide's options."""
    folder = tmp_path_factory.mktemp("generated")
    compiler = shutil.which("thrift")
    assert compiler, "Apache's compiler is not installed (Debian: thrift-compiler)"
    (folder / "peers_keyvalue.thrift").write_text(IDL.read_text())
    options = "py:new_style,dynamic,slots,utf8strings"
    subprocess.run(
        [compiler, "-nowarn", "--gen", options, "-out", folder, folder / "peers_keyvalue.thrift"],
        check=True,
        capture_output=True,
    )
    sys.path.insert(0, str(folder))
    from peers_keyvalue import KeyValue

    yield KeyValue
    sys.path.remove(str(folder))


@pytest.fixture(params=["loaded", "generated"])
def module(request):
    """What has the exceptions and structs of the IDL."""
    if request.param == "loaded":
        return thrift.load(IDL)
    return request.getfixturevalue("generated")


@pytest.fixture
def requests(module, peer):
    """The functions of the peer's service."""
    service = getattr(module, "KeyValue", module)
    return thrift.thrift_request_builder(peer.service, service, hostport=peer.hostport)


async def test_results_and_headers_arrive(channel, requests):
    response = await channel.thrift(requests.getValue("hello"), headers={"h": "é"})

    assert (response.body, response.headers, response.status) == ("world", {"h": "é"}, 0)
    assert response.transport.scheme == "thrift"


async def test_a_value_that_was_set_is_there(channel, requests):
    large = "é" * 100_000

    assert (await channel.thrift(requests.setValue("ours", large))).body is None
    assert (await channel.thrift(requests.getValue("ours"))).body == large


async def test_declared_exceptions_are_raised(channel, requests, module):
    with pytest.raises(module.NotFound) as absent:
        await channel.thrift(requests.getValue("nowhere"))
    with pytest.raises(module.InvalidKey) as invalid:
        await channel.thrift(requests.setValue("", "v"))

    assert absent.value.key == "nowhere"
    assert (invalid.value.key, invalid.value.reason) == ("", "empty")


async def test_an_undeclared_error_is_unexpected(channel, requests):
    with pytest.raises(errors.UnexpectedError) as caught:
        await channel.thrift(requests.crash())

    assert caught.value.endpoint == "KeyValue::crash"


async def test_structs_with_fields_of_every_type_come_back(channel, requests, module):
    everything = module.Everything(
        yes=True,
        tiny=127,  # tchannel-node takes an i8 for unsigned
        small=-32_768,
        medium=1 << 30,
        large=-(1 << 52),
        real=0.1,
        text="grüezi",
        colour=2,
        point=module.Point(1, -2),
        points=[module.Point(3, 4)],
        numbers={1, 2, 3},
        counts={"a": 1},
    )

    body = (await channel.thrift(requests.echo(everything))).body

    for name in ("yes", "tiny", "small", "medium", "real", "text", "colour", "counts"):
        assert getattr(body, name) == getattr(everything, name)
    assert (body.point, body.points) == (everything.point, everything.points)
    assert set(body.numbers) == {1, 2, 3}


async def test_a_client_of_methods_gets_bare_results(channel, peer, module):
    client = thrift.client_for(peer.service, getattr(module, "KeyValue", module))

    store = client(channel, hostport=peer.hostport, protocol_headers={"sk": "shard"})

    assert await store.getValue("hello") == "world"
    with pytest.raises(module.NotFound):
        await store.getValue("nowhere")


def test_a_plain_thread_calls_too(requests, module):
    with tchannel.sync.TChannel("our-thread") as channel:
        assert channel.thrift(requests.getValue("hello")).result(10).body == "world"
        assert isinstance(
            channel.thrift(requests.getValue("nowhere")).exception(10), module.NotFound
        )


async def test_a_value_of_a_wrong_type_never_leaves(channel, requests):
    with pytest.raises(TypeError, match="Field key of"):
        await channel.thrift(requests.getValue(5))

    assert not inside(channel).connections


async def test_every_peer_says_that_it_is_healthy(channel, peer):
    meta = thrift.thrift_request_builder(peer.service, Meta, hostport=peer.hostport)

    assert (await channel.thrift(meta.health())).body.ok is True


async def test_node_tells_its_idl(channel, node4):
    meta = thrift.thrift_request_builder(node4.service, Meta, hostport=node4.hostport)

    told = (await channel.thrift(meta.thriftIDL())).body

    module = rw.Loader(strict=False).loads("told", told.idls[told.entryPoint])
    assert module.KeyValue.getValue.name == "getValue"
