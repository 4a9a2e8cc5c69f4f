"""Services: contract section 11."""

import pytest

from tchannel_thrift import rw

DOCUMENT = """
exception Failure { 1: required string why }
exception Worse { 1: optional i32 level }
service Base { string name() }
service Service extends Base {
    i32 add(1: required i32 a, 2: i32 b = 5) throws (1: Failure failure, 4: Worse worse)
    void put(1: string key) throws (1: Failure failure)
    oneway void forget(1: string key)
}
"""


@pytest.fixture
def module(compiled):
    return compiled(DOCUMENT)


def test_service_function(module):
    function = module.Service.add
    assert isinstance(function, rw.spec.ServiceFunction)
    assert function._fields == ("name", "request", "response", "spec")
    assert function.name == "add"
    assert function.request.__name__ == "Service_add_request"
    assert function.response.__name__ == "Service_add_response"
    assert function.request.result_type is function.response
    assert function.spec.surface is function


def test_function_spec(module):
    spec = module.Service.add.spec
    assert isinstance(spec, rw.spec.FunctionSpec)
    assert (spec.name, spec.oneway, spec.linked) == ("add", False, True)
    assert spec.service is module.Service.service_spec
    assert spec.args_spec is module.Service.add.request.type_spec
    assert spec.result_spec is module.Service.add.response.type_spec


def test_args_spec(module):
    spec = module.Service.add.request.type_spec
    assert isinstance(spec, rw.spec.FunctionArgsSpec)
    assert spec.function is module.Service.add.spec
    assert [(f.name, f.required, f.default_value) for f in spec.fields] == [
        ("a", True, None),
        ("b", False, 5),
    ]


def test_result_spec(module):
    spec = module.Service.add.response.type_spec
    assert isinstance(spec, rw.spec.FunctionResultSpec)
    assert spec.function is module.Service.add.spec
    assert spec.return_spec.name == "i32"
    assert [f.name for f in spec.exception_specs] == ["failure", "worse"]
    assert [f.spec.surface for f in spec.exception_specs] == [module.Failure, module.Worse]
    assert spec.exception_ids == {1, 4}
    assert [(f.id, f.name) for f in spec.fields] == [(0, "success"), (1, "failure"), (4, "worse")]


def test_void_has_no_success(module):
    spec = module.Service.put.response.type_spec
    assert spec.return_spec is None
    assert [f.name for f in spec.fields] == ["failure"]
    response = module.Service.put.response()
    assert module.dumps(response) == b"\0"
    assert module.loads(module.Service.put.response, b"\0") == response


def test_response_has_exactly_one_value(module):
    with pytest.raises(TypeError, match="Exactly one"):
        module.Service.add.response()
    with pytest.raises(TypeError, match="multiple"):
        module.Service.add.response(success=1, failure=module.Failure("x"))
    with pytest.raises(TypeError, match="Exactly one"):
        module.loads(module.Service.add.response, b"\0")


@pytest.mark.parametrize("value", [0, 7])
def test_response_survives(module, value):
    response = module.Service.add.response(success=value)
    assert module.loads(module.Service.add.response, module.dumps(response)) == response


def test_declared_exception_survives(module):
    response = module.Service.add.response(worse=module.Worse(level=3))
    again = module.loads(module.Service.add.response, module.dumps(response))
    assert again.worse == module.Worse(3)
    assert (again.success, again.failure) == (None, None)


def test_arguments_are_optional_unless_the_file_says_required(module):
    assert module.Service.put.request().key is None
    with pytest.raises(TypeError, match='"a" missing'):
        module.Service.add.request()
    assert module.Service.add.request(1).b == 5


def test_oneway_has_no_response(module):
    function = module.Service.forget
    assert (function.response, function.spec.oneway, function.spec.result_spec) == (
        None,
        True,
        None,
    )
    assert function.request.result_type is None


def test_service_spec(module):
    spec = module.Service.service_spec
    assert isinstance(spec, rw.spec.ServiceSpec)
    assert spec.name == "Service"
    assert [function.name for function in spec.functions] == ["add", "put", "forget"]
    assert spec.parent is module.Base.service_spec
    assert spec.surface is module.Service
    assert spec.lookup("add") is spec.lookup(b"add") is module.Service.add.spec
    assert spec.lookup("name") is module.Base.name.spec
    assert spec.lookup("nope") is spec.lookup(b"\xff") is None


def test_extending_is_subclassing(module):
    assert issubclass(module.Service, module.Base)
    assert module.Service.name is module.Base.name
    payload = module.dumps.message(module.Service.name.request())
    assert module.loads.message(module.Service, payload).name == b"name"


def test_service_of_an_include_can_be_extended(files):
    directory = files(
        {
            "base.thrift": "service Base { void ping() }",
            "leaf.thrift": 'include "./base.thrift"\nservice Leaf extends base.Base {}',
        }
    )
    module = rw.Loader().load(directory / "leaf.thrift")
    assert module.Leaf.ping is module.base.Base.ping


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("service S extends T {}", 'Unknown service "T" referenced at line 1'),
        ("service S { void f() void f() }", 'Function "S.f" cannot be defined'),
        ("service S { oneway i32 f() }", 'Function "S.f" is oneway. It cannot return a value'),
        (
            "exception E {} service S { oneway void f() throws (1: E e) }",
            'Function "S.f" is oneway. It cannot raise exceptions',
        ),
        ("service S { void f(1: i32 a, 1: i32 b) }", "has already been used"),
        ("service S { void f(1: i32 a, 2: i32 a) }", "has duplicates"),
        ("exception E {} service S { i32 f() throws (1: E success) }", "has duplicates"),
        ("service S extends S {}", 'Service "S" extends itself'),
        ("service A extends B {} service B extends A {}", "extends itself"),
        ("service S { void service_spec() }", "service_spec"),
        ("struct S {} service T extends S {}", 'Unknown service "S"'),
    ],
)
def test_mistakes(compiled, document, text):
    with pytest.raises(rw.ThriftCompilerError, match=text):
        compiled(document)


def test_whatever_is_thrown_is_accepted(compiled, lenient):
    document = """
        struct S { 1: optional i32 x }
        service V { void f() throws (1: S s, 2: string t, 3: list<i32> l) }
    """
    for module in (compiled(document), lenient(document)):
        assert module.V.f.response(s=module.S(1)).s.x == 1
        value = module.V.f.response(t="why")
        assert module.loads(module.V.f.response, module.dumps(value)).t == "why"
