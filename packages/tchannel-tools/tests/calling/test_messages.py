"""The arg schemes: what is sent, and what is made of the answer."""

import datetime

import pytest

from tchannel_tools._calling.calls import Answer, Message
from tchannel_tools._calling.messages import JSONCall, RawCall, ThriftCall
from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.bodies import Given
from tchannel_tools._values.forms import Form


def given(text, what="the body"):
    return Given(what, text, None)


def answer(arg3, *, code=0, arg2=b""):
    return Answer(code, arg2, arg3, {"as": "x"})


def test_a_raw_call_sends_bytes_as_they_are():
    call = RawCall("ep", given("head"), given('{"a": 1}'))

    assert call.message == Message("raw", "ep", b"head", b'{"a": 1}')
    assert call.read(answer(b"\xff")).raw == b"\xff"


def test_a_json_call_without_a_body_sends_an_empty_object():
    assert JSONCall("ep", None, None).message == Message("json", "ep", b"{}", b"{}")


def test_a_json_answer_is_shown_with_its_headers():
    result = JSONCall("ep", None, given("null")).read(answer(b"[1]", arg2=b'{"a": 2}'))

    assert result.ok
    assert result.document == {"ok": True, "head": {"a": 2}, "body": [1], "headers": {"as": "x"}}


def test_an_application_error_is_noted_with_its_type_and_message():
    result = JSONCall("ep", None, None).read(answer(b'{"type": "t", "message": "m\\n"}', code=1))

    assert not result.ok
    assert result.note == "application error: t: m"


def test_an_answer_that_is_no_json_is_told():
    with pytest.raises(ToolError, match=r"the body of the answer is no JSON: .*; try --raw"):
        JSONCall("ep", None, None).read(answer(b"hello"))


@pytest.mark.parametrize(
    ("head", "body", "shown"),
    [
        (b"oops", b'{"type": "t"}', ("oops", {"type": "t"})),
        (b"\0\0", b"no way\xff", ("\0\0", "no way\N{REPLACEMENT CHARACTER}")),
    ],
)
def test_an_application_error_is_shown_whatever_it_is_written_in(head, body, shown):
    call = JSONCall("ep", None, None, Form(exact=True))
    result = call.read(answer(body, arg2=head, code=1))

    assert not result.ok
    assert result.document["ok"] is False
    assert (result.document["head"], result.document["body"]) == shown


def test_yaml_that_json_cannot_say_is_refused():
    day = Given("the body", "day: 2020-01-01", None, yaml=True)

    assert day.as_value() == {"day": datetime.date(2020, 1, 1)}
    with pytest.raises(ToolError, match="the body cannot become JSON"):
        JSONCall("ep", None, day)


@pytest.fixture
def get_value(guide_idl):
    from tchannel_tools._idl.interface import load_file

    function = load_file(guide_idl, strict=False).function("KeyValue::getValue")

    def make(headers=None, body='{"key": "a"}'):
        text = None if headers is None else given(headers, "the headers")
        body = given(body) if isinstance(body, str) else body
        return ThriftCall("KeyValue::getValue", function, text, body)

    return make


def test_a_thrift_call_sends_the_arguments_by_the_idl(get_value):
    message = get_value('{"h": "1"}').message

    assert message.arg2 == b"\0\1\0\1h\0\x011"
    assert message.arg3 == b"\x0b\0\1\0\0\0\1a\0"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ('{"h": 1}', "header 'h' must be a str"),
        ("[]", "are an object of text"),
    ],
)
def test_the_headers_of_a_thrift_call_are_text(get_value, headers, message):
    with pytest.raises(ToolError, match=message):
        get_value(headers)


def test_a_thrift_result_is_shown_as_its_value(get_value):
    result = get_value().read(answer(b"\x0b\0\0\0\0\0\1b\0", arg2=b"\0\0"))

    assert result.document == {"ok": True, "head": {}, "body": "b", "headers": {"as": "x"}}


def test_a_declared_exception_is_shown_by_name_and_fields(get_value):
    result = get_value().read(answer(b"\x0c\0\1\x0b\0\1\0\0\0\1a\0\0", code=1, arg2=b"\0\0"))

    assert not result.ok
    assert result.document == {
        "ok": False,
        "head": {},
        "body": {"key": "a"},
        "headers": {"as": "x"},
        "typeName": "notFound",
        "exception": "NotFoundError",
    }
    assert result.note == 'exception NotFoundError(key="a")'


def test_an_exception_that_is_not_declared_is_an_application_error(get_value):
    result = get_value().read(answer(b"\x0c\0\7\x08\0\1\0\0\0\5\0\0", code=1, arg2=b"\0\0"))

    assert not result.ok
    assert result.document["body"] == {"thrift": {"1": 5}}
    assert "exception that the IDL does not declare" in result.note


@pytest.mark.parametrize(
    ("arg2", "arg3", "message"),
    [
        (b"\0\0", b"{}", "the answer does not fit the IDL of KeyValue::getValue"),
        (b"\0\1", b"\x0b\0\0\0\0\0\1b\0", "the answer's headers are no Thrift headers"),
    ],
)
def test_an_answer_that_does_not_fit_is_told(get_value, arg2, arg3, message):
    with pytest.raises(ToolError, match=message):
        get_value().read(answer(arg3, arg2=arg2))


@pytest.mark.parametrize("body", ["5", '"hello"', "[]"])
def test_arguments_that_are_no_object_are_refused_with_their_names(get_value, body):
    with pytest.raises(ToolError) as caught:
        get_value(body=body)

    assert "must be an object with the arguments of KeyValue::getValue (key), not" in str(
        caught.value
    )


@pytest.mark.parametrize("body", ["null", "{}"])
def test_no_arguments_may_be_written_as_null(get_value, body):
    for text in (given(body), Given("the body", body, None, word=True)):
        assert get_value(body=text).message.arg3 == b"\0"


def test_a_call_that_returns_nothing_where_it_could_is_ok_and_noted(get_value):
    result = get_value().read(answer(b"\0", arg2=b"\0\0"))

    assert result.ok
    assert result.document["body"] is None
    assert result.note == "the answer has no value, but could be string"


def test_an_application_error_of_no_declared_type_shows_the_value_there_is(get_value):
    empty = get_value().read(answer(b"\0", code=1, arg2=b"\0\0"))
    value = get_value().read(answer(b"\x0b\0\0\0\0\0\1b\0", code=1, arg2=b"\0\0"))

    assert not empty.ok
    assert "body" not in empty.document
    assert (value.ok, value.document["body"]) == (False, "b")
    assert value.note == "application error of no declared type"


def test_a_declared_exception_counts_whatever_the_code_of_the_response_is(get_value):
    assert not get_value().read(answer(b"\x0c\0\1\0\0", arg2=b"\0\0")).ok


def test_exact_shows_a_json_application_error_as_it_was_sent():
    read = JSONCall("ep", None, None, Form(exact=True)).read

    assert read(answer(b'{"type": "t"}', code=1)).document["body"] == {"type": "t"}


def test_an_empty_json_body_is_null_and_a_number_beyond_all_numbers_as_well():
    read = JSONCall("ep", None, None).read

    assert read(answer(b"")).document["body"] is None
    assert read(answer(b"[1e400, 1e3]")).document["body"] == [None, 1000]


@pytest.mark.parametrize("body", [b"NaN", b'{"a": -Infinity}'])
def test_what_only_python_takes_for_json_is_refused(body):
    with pytest.raises(ToolError, match=r"is no JSON: .* is none of its numbers; try --raw"):
        JSONCall("ep", None, None).read(answer(body))


def test_fields_that_are_left_out_are_warned_of(get_value):
    call = get_value(body='{"key": "a", "kye": 1}')

    assert call.warnings == ["body.kye is not in the IDL, and is left out"]
