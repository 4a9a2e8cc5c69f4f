"""Finding services in what users hand over."""

import types

import pytest

from tchannel import thrift
from tchannel_thrift import rw
from tchannel_thrift.service import choose, services_in


def names(thrift_module):
    return [service.name for service in services_in(thrift_module)]


def test_a_module_has_all_its_services(idl):
    assert names(thrift.load(idl / "keyvalue.thrift")) == ["KeyValue", "Clock"]
    assert names(rw.load(idl / "keyvalue.thrift")) == ["KeyValue", "Clock"]


def test_a_service_is_found_by_itself(kind):
    assert names(kind.service) == ["KeyValue"]
    (service,) = services_in(kind.service)
    assert service.method_names()[:3] == ["countdown", "getValue", "setValue"]
    assert service.has("countdown")
    assert not service.has("now")


def test_a_method_is_made_of_each_function(kind):
    (service,) = services_in(kind.service)

    for name in service.method_names():
        method = service.method(name)
        assert method.endpoint == f"KeyValue::{name}"
        assert repr(method) == f"<Method KeyValue::{name}>"
        assert method.codec.returns == (name not in {"setValue", "nothing"})


def test_only_the_known_know_their_idl(kind):
    (service,) = services_in(kind.service)

    assert (service.module is None) == kind.name.startswith("apache")


def test_a_module_without_services_is_refused():
    module = rw.Loader().loads("bare", "struct S {}")

    with pytest.raises(ValueError, match="has no services"):
        services_in(module)


@pytest.mark.parametrize("wrong", [None, 5, "KeyValue", types, object, types.ModuleType("empty")])
def test_anything_else_is_refused(wrong):
    with pytest.raises(TypeError, match="a Thrift service or module is needed"):
        services_in(wrong)


def test_what_only_looks_like_a_service_is_refused():
    class Fake:
        service_spec = None

    with pytest.raises(TypeError, match="a Thrift service or module is needed"):
        services_in(Fake)


def test_one_is_chosen_by_name_by_function_or_for_want_of_others(idl):
    services = services_in(thrift.load(idl / "keyvalue.thrift"))

    assert choose(services, "Clock").name == "Clock"
    assert choose(services, method="now").name == "Clock"
    assert choose(services[:1]).name == "KeyValue"
    with pytest.raises(ValueError, match="none of the services KeyValue, Clock has a function 'x'"):
        choose(services, method="x")
    with pytest.raises(ValueError, match="say which service is meant"):
        choose(services)


def test_a_function_in_two_services_needs_the_services_name():
    module = rw.Loader().loads("twins", "service A { void f() }\nservice B { void f() }")

    with pytest.raises(ValueError, match="say which service is meant; there are: A, B"):
        choose(services_in(module), method="f")
