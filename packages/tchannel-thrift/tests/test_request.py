"""Builders, and the requests that they make."""

import inspect

import pytest

import tchannel
from tchannel import thrift
from tchannel.errors import OneWayNotSupportedError
from tchannel.lowlevel import inside
from tchannel_thrift import RequestBuilder, ThriftRequest, thrift_request_builder


def test_a_builder_makes_requests_of_positional_and_named_arguments(kind):
    builder = thrift_request_builder(service="keyvalue", thrift_module=kind.service)

    for request in (builder.setValue("k", "v"), builder.setValue(key="k", value="v")):
        assert isinstance(request, ThriftRequest)
        assert (request.service, request.endpoint) == ("keyvalue", "KeyValue::setValue")
        assert request.hostport is None
        assert (request.call_args.key, request.call_args.value) == ("k", "v")
    assert request.result_type.__name__ in {"KeyValue_setValue_response", "setValue_result"}


def test_hostport_belongs_to_every_request(kind):
    builder = thrift_request_builder("keyvalue", kind.service, hostport="127.0.0.1:4040")

    assert builder.nothing().hostport == "127.0.0.1:4040"


def test_arguments_that_do_not_exist_are_refused(kind):
    builder = thrift_request_builder("keyvalue", kind.service)

    with pytest.raises(TypeError, match="colour"):
        builder.move(kind.shared.Point(1, 2), colour="red")
    with pytest.raises(TypeError, match="argument"):
        builder.getValue("k", "l", "m")
    with pytest.raises(TypeError, match="argument"):
        builder.nothing(1)


def test_optional_arguments_may_be_left_out(kind):
    assert kind.request("move", kind.shared.Point(1, 2), None).call_args.by is None


@pytest.mark.parametrize(
    ("function", "argument", "value", "error"),
    [
        ("getValue", "key", 5, TypeError),
        ("getValue", "key", "\ud800", ValueError),
        ("toNumber", "number", "5", TypeError),
        ("toNumber", "number", 1 << 31, (ValueError, OverflowError)),
        ("toDouble", "number", "5.0", TypeError),
        ("toBinary", "data", 5, TypeError),
        ("toList", "numbers", [1, "2"], TypeError),
        ("toList", "numbers", 5, TypeError),
        ("toMap", "numbers", {"a": "b"}, TypeError),
        ("move", "point", 5, TypeError),
    ],
)
async def test_a_value_that_does_not_fit_is_refused_before_anything_is_sent(
    client, kind, function, argument, value, error
):
    text = rf"Field {argument} of (KeyValue_)?{function}_(request|args) is invalid"

    with pytest.raises(error, match=text):
        others = {"by": None} if function == "move" else {}
        await client.thrift(kind.request(function, value, **others))
    assert not inside(client).connections


async def test_a_struct_that_was_spoilt_is_refused_before_anything_is_sent(client, kind):
    point = kind.shared.Point(1, 2)
    request = kind.request("move", point, None)
    point.x = "one"

    with pytest.raises(TypeError, match="Field x of Point is invalid"):
        client.thrift(request)
    assert not inside(client).connections


async def test_a_required_argument_is_required(load_kind):
    # Apache's dynamic code does not know which arguments are required.
    for name in ("loaded", "engine", "apache_plain"):
        with pytest.raises(TypeError, match=r"key|argument"):
            load_kind(name).request("getValue")


def test_a_function_that_does_not_exist_is_an_attribute_error(kind):
    builder = thrift_request_builder("keyvalue", kind.service)

    with pytest.raises(AttributeError, match=r"KeyValue.* has no function 'getvalue'"):
        builder.getvalue("k")


def test_the_error_for_a_misspelt_function_lets_python_suggest_the_right_one(kind):
    builder = thrift_request_builder("keyvalue", kind.service)

    with pytest.raises(AttributeError) as caught:
        builder.getvalue("k")
    assert (caught.value.name, caught.value.obj) == ("getvalue", builder)
    assert "getValue" in dir(caught.value.obj)


def test_functions_have_what_those_of_the_engines_modules_have(load_kind, kinds):
    for kind in map(load_kind, kinds):
        builder = thrift_request_builder("keyvalue", kind.service)
        clock = thrift_request_builder("keyvalue", kind.clock)
        if kind.name.startswith("apache"):
            assert not hasattr(builder.getValue, "request")
            assert not hasattr(builder, "service_spec")
            continue
        assert (builder.getValue.name, builder.getValue.spec.name) == ("getValue", "getValue")
        assert builder.getValue.request("k").key == "k"
        assert builder.getValue.response(success="v").success == "v"
        # Inherited, and oneway.
        assert builder.countdown.request(n=5).n == 5
        assert (clock.tick.request(5).at, clock.tick.response) == (5, None)
        assert builder.service_spec.name == "KeyValue"


def test_a_builder_stands_for_its_service_in_messages(idl):
    module = thrift.load(idl / "keyvalue.thrift", service="keyvalue")

    payload = module.dumps.message(module.KeyValue.getValue.request("k"), seqid=7)

    assert module.loads.message(module.KeyValue, payload).body.key == "k"


def test_a_builder_lists_its_functions(kind):
    builder = thrift_request_builder("keyvalue", kind.service)

    assert {"getValue", "setValue", "countdown"} <= set(dir(builder))
    assert builder.getValue.__name__ == "getValue"
    assert dict(inspect.getmembers(builder))["getValue"] is builder.getValue


def test_oneway_functions_are_refused_when_called(kind):
    builder = thrift_request_builder("keyvalue", kind.clock)

    assert callable(builder.tick)
    with pytest.raises(OneWayNotSupportedError, match="Clock::tick is oneway"):
        builder.tick(5)


def test_the_class_name_of_an_apache_service_is_part_of_the_endpoint(load_kind):
    for name in ("apache_dynamic", "apache_plain"):
        kind = load_kind(name)

        builder = thrift_request_builder("s", kind.service, thrift_class_name="Store")
        assert builder.nothing().endpoint == "Store::nothing"
        # What was given stays as it was.
        renamed = thrift_request_builder("s", builder, thrift_class_name="Shop")
        assert renamed.nothing().endpoint == "Shop::nothing"
        assert builder.nothing().endpoint == "Store::nothing"


def test_the_class_name_chooses_among_the_services_of_a_module(idl):
    module = thrift.load(idl / "keyvalue.thrift")

    builder = thrift_request_builder("s", module, thrift_class_name="Clock")
    assert builder.now().endpoint == "Clock::now"
    with pytest.raises(ValueError, match="say which service is meant; there are: KeyValue, Clock"):
        thrift_request_builder("s", module)
    with pytest.raises(ValueError, match="there is no service 'Store'"):
        thrift_request_builder("s", module.KeyValue, thrift_class_name="Store")


def test_wrong_arguments_of_the_builder_are_named(kind):
    with pytest.raises(TypeError, match="service must be a str, not 5"):
        thrift_request_builder(5, kind.service)
    with pytest.raises(ValueError, match="service must not be empty"):
        thrift_request_builder("", kind.service)
    with pytest.raises(TypeError, match="a Thrift service or module is needed"):
        thrift_request_builder("s", pytest)


def test_the_package_of_an_apache_service_stands_for_it(apache, load_kind):
    text = "service Lonely { i32 one() }"
    package = apache("apache_dynamic", "lonely", text)

    assert thrift_request_builder("s", package).one().endpoint == "Lonely::one"
    several = apache("apache_dynamic", "keyvalue")
    builder = thrift_request_builder("s", several, thrift_class_name="Clock")
    assert builder.now().endpoint == "Clock::now"


def test_a_request_and_a_builder_say_what_they_are(kind):
    builder = thrift_request_builder("keyvalue", kind.service)

    assert repr(builder) == "<RequestBuilder of KeyValue for service 'keyvalue'>"
    assert repr(builder.getValue("k")).startswith("ThriftRequest('keyvalue', 'KeyValue::getValue'")


def test_the_builder_is_found_where_the_document_has_it():
    assert tchannel.thrift_request_builder is thrift_request_builder
    assert thrift.thrift_request_builder is thrift_request_builder
    assert isinstance(RequestBuilder, type)


@pytest.mark.parametrize("missing", [{}, {"service": None}, {"service": ""}])
async def test_a_hostport_alone_makes_a_request_that_cannot_be_called(idl, client, missing):
    module = thrift.load(idl / "keyvalue.thrift", hostport="127.0.0.1:1", **missing)
    request = module.KeyValue.getValue("key")
    assert (request.service, request.hostport) == (None, "127.0.0.1:1")
    with pytest.raises(ValueError, match=r"KeyValue::getValue: no service to call .* service="):
        client.thrift(request)


def test_without_service_and_hostport_no_request_is_made(idl):
    with pytest.raises(ValueError, match=r"no service to call is known; give service="):
        thrift.load(idl / "keyvalue.thrift").KeyValue.getValue("key")


def test_apaches_functions_want_their_arguments_at_once(load_kind):
    for flavour in ("apache_dynamic", "apache_plain"):
        kind = load_kind(flavour)
        with pytest.raises(TypeError, match=r"getValue\(\) is missing the required argument 'key'"):
            kind.request("getValue")
        with pytest.raises(TypeError):
            kind.request("getValue", "a", "b")
        with pytest.raises(TypeError):
            kind.request("getValue", nope="b")
        for request in (kind.request("getValue", "a"), kind.request("getValue", key="a")):
            assert request.call_args.key == "a"


def test_apaches_functions_name_all_arguments_that_are_missing(apache):
    text = "service Sums { i32 add(1: i32 a, 2: i32 b, 3: i32 c = 5, 4: i32 d) }"
    service = apache("apache_plain", "sums.Sums", text)
    builder = thrift_request_builder("sums", service)
    with pytest.raises(TypeError, match="missing the required arguments 'b', 'd'"):
        builder.add(1)
    assert builder.add(1, 2, d=4).call_args.c == 5
    # None is given: the function goes without.
    assert builder.add(1, None, d=4).call_args.b is None
