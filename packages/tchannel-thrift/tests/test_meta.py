"""Meta: health, the IDL, and the versions of a server."""

import importlib
import platform
from functools import partial

import pytest

import tchannel
from tchannel import TChannel, errors, health, thrift
from tchannel.authorization import authorize
from tchannel.errors import BadRequestError
from tchannel.health.health import meta as health_module
from tchannel.options import Options
from tchannel_thrift import rw
from tchannel_thrift.meta import (
    HealthRequest,
    HealthRequestType,
    HealthState,
    HealthStatus,
    Meta,
    meta,
)

SERVICES = ["keyvalue", "tchannel"]


@pytest.fixture(params=SERVICES)
def ask(request, client):
    """A function that calls Meta under the server's own name, and under the name tchannel."""
    builder = thrift.thrift_request_builder(request.param, Meta)

    async def call(function, *args):
        return (await client.thrift(getattr(builder, function)(*args))).body

    return call


async def test_a_server_is_healthy(ask):
    assert await ask("health") == HealthStatus(ok=True)
    assert await ask("health", HealthRequest(type=HealthRequestType.TRAFFIC)) == HealthStatus(True)


async def test_health_may_be_answered_otherwise(server, ask):
    @server.thrift.register(Meta)
    def health(request):
        if request.body.hr is not None and request.body.hr.type == HealthRequestType.TRAFFIC:
            return HealthStatus(ok=False, message="draining", state=HealthState.REFUSING)
        return {"ok": True, "state": HealthState.ACCEPTING}

    assert await ask("health") == HealthStatus(ok=True, state=HealthState.ACCEPTING)
    refusing = await ask("health", HealthRequest(type=HealthRequestType.TRAFFIC))
    assert refusing == HealthStatus(ok=False, message="draining", state=HealthState.REFUSING)


async def test_the_default_health_is_a_handler_of_its_own(server, ask):
    server.thrift.register(Meta, lambda request: HealthStatus(ok=False), "health")
    assert not (await ask("health")).ok

    server.thrift.register(Meta, health.health)
    assert (await ask("health")).ok


def test_health_is_found_where_the_document_has_it():
    assert health.Meta is Meta
    assert health.HealthStatus is HealthStatus
    assert health_module is meta


async def test_the_version_is_told_by_a_server_that_never_used_thrift(server, ask):
    told = await ask("versionInfo")

    assert (told.language, told.language_version) == ("python", platform.python_version())
    assert told.version == tchannel.__version__


async def test_the_idl_is_told_with_its_includes(server, ask, idl):
    module = thrift.load(idl / "keyvalue.thrift")
    server.thrift.register(module.KeyValue, lambda request: "", "getValue")

    told = await ask("thriftIDL")

    assert told.entryPoint == "keyvalue.thrift"
    files = ["keyvalue.thrift", "shared.thrift"]
    assert told.idls == {name: (idl / name).read_text() for name in files}


async def test_the_idl_that_is_told_can_be_loaded(server, ask, idl, tmp_path):
    server.thrift.register(thrift.load(idl / "keyvalue.thrift").Clock, lambda request: 1, "now")

    told = await ask("thriftIDL")
    for name, text in told.idls.items():
        (tmp_path / name).write_text(text)

    assert rw.load(tmp_path / told.entryPoint).KeyValue.getValue.name == "getValue"


@pytest.mark.parametrize("name", ["engine", "loaded", "thriftrw"])
async def test_the_idl_of_every_module_that_has_it_is_told(
    server, ask, idl, name, load_kind, kinds
):
    if name not in kinds:
        pytest.skip("thriftrw cannot be built on this Python")
    server.thrift.register(load_kind(name).service, lambda request: "", "getValue")

    told = await ask("thriftIDL")

    assert told.entryPoint == "keyvalue.thrift"
    assert sorted(told.idls) == ["keyvalue.thrift", "shared.thrift"]


async def test_without_any_other_idl_that_of_meta_is_told(server, ask, load_kind):
    server.thrift.register(load_kind("apache_plain").service, lambda request: "", "getValue")
    server.thrift.register(Meta, health.health)

    told = await ask("thriftIDL")

    assert told.entryPoint == "meta.thrift"
    assert "service Meta" in told.idls["meta.thrift"]


async def test_the_idl_grows_with_the_handlers(server, ask, idl, tmp_path):
    file = tmp_path / "other.thrift"
    file.write_text("service Other { void ping() }")
    server.thrift.register(thrift.load(idl / "shared.thrift"), lambda request: 1, "countdown")
    assert (await ask("thriftIDL")).entryPoint == "shared.thrift"

    server.thrift.register(thrift.load(file), lambda request: None, "ping")

    told = await ask("thriftIDL")
    assert told.entryPoint == "shared.thrift"
    assert sorted(told.idls) == ["other.thrift", "shared.thrift"]


async def test_the_first_use_of_the_scheme_brings_the_idl(server, client):
    builder = thrift.thrift_request_builder("keyvalue", Meta)
    with pytest.raises(BadRequestError, match="is not defined"):
        await client.thrift(builder.thriftIDL())

    assert server.thrift is server.thrift
    assert (await client.thrift(builder.thriftIDL())).body.entryPoint == "meta.thrift"


async def test_a_sub_channel_tells_its_own_idl(server, client, idl):
    server.thrift.register(thrift.load(idl / "keyvalue.thrift").Clock, lambda request: 1, "now")
    other = server.service("other")
    other.thrift.register(thrift.load(idl / "shared.thrift"), lambda request: 1, "countdown")

    builder = thrift.thrift_request_builder("other", Meta)
    told = (await client.thrift(builder.thriftIDL())).body

    assert told.entryPoint == "shared.thrift"


async def test_an_answer_of_ones_own_stays(idl):
    channel = TChannel("server")
    handler = channel.thrift.register(Meta, lambda request: None, "thriftIDL")
    scheme = type(channel.thrift)(channel)

    assert scheme is not channel.thrift
    assert channel.endpoints.find(b"Meta::thriftIDL", "thrift").handler is handler


def test_the_module_of_meta_is_where_tchannel_python_had_it():
    by_path = importlib.import_module("tchannel.health.health.meta")
    from tchannel.health.health.meta import HealthStatus as Status

    assert by_path is meta
    assert Status is HealthStatus


def test_the_classes_of_all_schemes_are_where_tchannel_python_had_them():
    from tchannel import schemes

    assert [scheme.NAME for scheme in schemes.DEFAULT_SCHEMES] == list(schemes.DEFAULT_NAMES)


async def test_the_idl_can_be_kept_to_oneself_and_a_check_stand_before_a_function(idl):
    module = thrift.load(idl / "keyvalue.thrift")
    options = Options(meta_endpoints=["health"])
    async with TChannel("server", hostport="127.0.0.1:0", options=options) as server:

        @server.thrift.register(module.KeyValue)
        @authorize(lambda access: access.endpoint != "KeyValue::getValue")
        def getValue(request):
            raise AssertionError("it never runs")

        server.listen()
        async with TChannel("client") as client:
            call = partial(client.call, "thrift", "server", hostport=server.hostport)
            with pytest.raises(errors.BadRequestError, match="'Meta::thriftIDL' is not defined"):
                await call("Meta::thriftIDL", b"\0\0", b"\0")
            with pytest.raises(errors.BadRequestError, match="not authorized"):
                await call("KeyValue::getValue", b"\0\0", b"\0")
