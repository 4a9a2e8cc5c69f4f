"""Every example of thriftrw's overview.

Corrected where the document is wrong: ``service.types.UUID`` for ``service.shared.UUID``,
``list<string> listValues()``, ``Message.name`` is bytes, ``print()``.
"""

import sys
import types

import pytest

from tchannel_thrift import rw as thriftrw

KEYVALUE = """
exception ResourceDoesNotExist { 1: optional string key }

union Value {
    1: string stringValue
    2: i32 integerValue
}

service KeyValue {
    void putValue(1: string key, 2: Value value);
    Value getValue(1: string key) throws (1: ResourceDoesNotExist doesNotExist);
    list<string> listValues();
    string getItem(1: string key);
    oneway void forget(1: string key);
}
"""

USER = """
struct User {
    1: required string name
    2: optional string email
    3: required bool isActive = true
}
"""


@pytest.fixture
def directory(files):
    return files({"keyvalue.thrift": KEYVALUE, "user.thrift": USER})


@pytest.fixture
def keyvalue(directory):
    return thriftrw.Loader().load(directory / "keyvalue.thrift")


@pytest.fixture
def user(directory):
    return thriftrw.Loader().load(directory / "user.thrift")


def test_load_generates_a_module_that_is_not_importable(directory):
    keyvalue = thriftrw.load(str(directory / "keyvalue.thrift"))
    assert isinstance(keyvalue, types.ModuleType)
    assert keyvalue.__name__ == "keyvalue"
    with pytest.raises(ImportError):
        exec("from keyvalue import KeyValue", {})


def test_install_makes_a_submodule_of_the_caller(files, monkeypatch):
    directory = files(
        {
            "keyvalue.thrift": KEYVALUE,
            "some_module.py": "from tchannel_thrift import rw as thriftrw\n"
            "keyvalue = thriftrw.install('keyvalue.thrift')\n",
        }
    )
    monkeypatch.syspath_prepend(str(directory))
    try:
        exec("from some_module.keyvalue import KeyValue", scope := {})
        assert scope["KeyValue"] is sys.modules["some_module"].keyvalue.KeyValue
        assert sys.modules["some_module.keyvalue"].__name__ == "some_module.keyvalue"
    finally:
        sys.modules.pop("some_module", None)
        sys.modules.pop("some_module.keyvalue", None)


def test_dumps_and_loads_a_request(keyvalue):
    request = keyvalue.KeyValue.getItem.request("somekey")
    request_payload = keyvalue.dumps(request)
    assert isinstance(request_payload, bytes)
    assert keyvalue.loads(keyvalue.KeyValue.getItem.request, request_payload) == request


def test_dumps_message_wraps_a_request_and_loads_message_reads_it(keyvalue, capsys):
    request = keyvalue.KeyValue.getItem.request("somekey")
    payload = keyvalue.dumps.message(request, 5)
    message = keyvalue.loads.message(keyvalue.KeyValue, payload)
    print(message.name)
    print(message.message_type)
    assert capsys.readouterr().out == "b'getItem'\n1\n"
    assert message.body == request
    assert message.seqid == 5
    assert isinstance(message, thriftrw.value.Message)


def test_message_type_follows_from_the_object(keyvalue):
    service = keyvalue.KeyValue
    types_ = [
        keyvalue.loads.message(service, keyvalue.dumps.message(body)).message_type
        for body in (
            service.getItem.request("k"),
            service.getItem.response(success="v"),
            service.forget.request("k"),
        )
    ]
    assert types_ == [1, 2, 4]


def test_exception_message_raises_with_the_parsed_exception_in_the_body(keyvalue):
    payload = (
        b"\x00\x00\x00\x07getItem\x03\x00\x00\x00\x09"
        b"\x0b\x00\x01\x00\x00\x00\x04oops\x08\x00\x02\x00\x00\x00\x06\x00"
    )
    with pytest.raises(thriftrw.errors.UnknownExceptionError) as caught:
        keyvalue.loads.message(keyvalue.KeyValue, payload)
    response = caught.value.thrift_response
    assert (response.name, response.seqid, response.message_type) == (b"getItem", 9, 3)
    assert (response.body.message, response.body.type) == ("oops", 6)


def test_unknown_method_is_a_protocol_error(keyvalue):
    payload = b"\x00\x00\x00\x04nope\x01\x00\x00\x00\x00\x00"
    with pytest.raises(thriftrw.errors.ThriftProtocolError, match="nope"):
        keyvalue.loads.message(keyvalue.KeyValue, payload)


def test_module_attributes(keyvalue):
    assert keyvalue.__services__ == (keyvalue.KeyValue,)
    assert keyvalue.__types__ == (keyvalue.ResourceDoesNotExist, keyvalue.Value)
    assert keyvalue.__includes__ == ()
    assert keyvalue.__constants__ == {}
    assert keyvalue.__thrift_source__ == KEYVALUE
    assert keyvalue.Value.__thrift_module__ is keyvalue


def test_struct_constructor(user):
    made = user.User("John", isActive=None)
    assert (made.name, made.email, made.isActive) == ("John", None, True)
    with pytest.raises(TypeError):
        user.User()
    with pytest.raises(TypeError, match="name"):
        user.User(name=None)


def test_exceptions_behave_like_structs_and_derive_from_exception(keyvalue):
    error = keyvalue.ResourceDoesNotExist(key="k")
    assert isinstance(error, Exception)
    with pytest.raises(keyvalue.ResourceDoesNotExist) as caught:
        raise error
    assert caught.value.key == "k"


@pytest.mark.parametrize("values", [{}, {"stringValue": "a", "integerValue": 1}])
def test_union_takes_exactly_one_value(keyvalue, values):
    with pytest.raises(TypeError):
        keyvalue.Value(**values)
    assert keyvalue.Value(integerValue=1).stringValue is None


def test_enum(compiled):
    status = compiled("enum Status { QUEUED, RUNNING, FAILED, SUCCEEDED, }").Status
    assert (status.QUEUED, status.RUNNING, status.FAILED, status.SUCCEEDED) == (0, 1, 2, 3)


def test_service_functions(keyvalue):
    service = keyvalue.KeyValue
    assert service.getValue.request("some_key").key == "some_key"
    successful = service.getValue.response(success=keyvalue.Value(stringValue="v"))
    assert successful.success.stringValue == "v"
    missing = keyvalue.ResourceDoesNotExist("some_key")
    assert service.getValue.response(doesNotExist=missing).doesNotExist is missing
    assert service.putValue.response() == service.putValue.response()
    assert service.listValues.response(success=["a"]).success == ["a"]
    assert isinstance(service.getValue, thriftrw.spec.ServiceFunction)


def test_constants(compiled):
    module = compiled(
        """
        const string LAST_UPDATED = "2015-08-28"
        struct Item { 1: required string key, 2: required i32 value }
        const Item ZERO_ITEM = {'key': '', 'value': 0}
        """
    )
    assert module.LAST_UPDATED == "2015-08-28"
    assert module.Item(key="", value=0) == module.ZERO_ITEM


def test_primitive_representations(user):
    john = user.User(name="John Smith", email="john@example.com")
    assert john.to_primitive() == {
        "name": "John Smith",
        "email": "john@example.com",
        "isActive": True,
    }
    jane = user.User(name="Jane Smith", email="jane@example.com", isActive=True)
    assert jane == user.User.from_primitive({"name": "Jane Smith", "email": "jane@example.com"})


def test_primitive_types(compiled):
    module = compiled(
        """
        struct Inner { 1: required i32 x }
        union Choice { 1: i32 x }
        exception Failure { 1: required string why }
        struct All {
            1: required bool a  2: required byte b  3: required i16 c  4: required i32 d
            5: required i64 e  6: required double f  7: required string g  8: required binary h
            9: required list<i32> i  10: required map<string, Inner> j  11: required set<i32> k
            12: required Inner l  13: required Choice m  14: required Failure n
        }
        """
    )
    everything = module.All(
        True, 1, 2, 3, 4, 5.5, "g", b"h", [1], {"k": module.Inner(1)}, {1},
        module.Inner(2), module.Choice(x=3), module.Failure("w"),
    )  # fmt: skip
    primitive = {
        "a": True, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5.5, "g": "g", "h": b"h", "i": [1],
        "j": {"k": {"x": 1}}, "k": [1], "l": {"x": 2}, "m": {"x": 3}, "n": {"why": "w"},
    }  # fmt: skip
    assert everything.to_primitive() == primitive
    assert module.All.from_primitive(primitive) == everything


def test_includes_are_found_by_their_base_name_and_loaded_once(files):
    directory = files(
        {
            "shared/types.thrift": """
                struct UUID {
                    1: required i64 high
                    2: required i64 low
                }
            """,
            "services/user.thrift": """
                include "../shared/types.thrift"
                struct User { 1: required types.UUID uuid }
            """,
        }
    )
    service = thriftrw.load(directory / "services/user.thrift")
    user_uuid = service.types.UUID(1, 2)
    user = service.User(uuid=user_uuid)
    assert service.loads(service.User, service.dumps(user)) == user
    types_ = thriftrw.load(directory / "shared/types.thrift")
    assert service.types is types_
    assert service.__includes__ == (types_,)


def test_server_answers_with_the_sequence_number_of_the_request(keyvalue):
    def handle_request(request_payload):
        message = keyvalue.loads.message(keyvalue.KeyValue, request_payload)
        seqid = message.seqid
        request = message.body
        response = keyvalue.KeyValue.getItem.response(success=request.key.upper())
        return keyvalue.dumps.message(response, seqid=seqid)

    request = keyvalue.KeyValue.getItem.request("somekey")
    answer = handle_request(keyvalue.dumps.message(request, seqid=10))
    message = keyvalue.loads.message(keyvalue.KeyValue, answer)
    assert (message.seqid, message.body.success) == (10, "SOMEKEY")


def test_requiredness_must_be_given(compiled):
    with pytest.raises(thriftrw.errors.ThriftCompilerError, match="requiredness"):
        compiled("struct S { 1: string a }")


def test_forward_references(compiled):
    module = compiled("typedef Foo Bar struct Foo { 1: required i32 x }")
    assert module.Bar is module.Foo


def test_cyclic_references(compiled):
    module = compiled(
        """
        union Tree {
            1: Leaf leaf
            2: Branch branch
        }
        struct Leaf { 1: required i32 value }
        struct Branch { 1: required Tree leftTree 2: required Tree rightTree }
        """
    )
    leaf = module.Tree(leaf=module.Leaf(1))
    tree = module.Tree(branch=module.Branch(leaf, leaf))
    assert module.loads(module.Tree, module.dumps(tree)) == tree
