"""Protobuf messages as bytes, JSON and text."""

import pytest

pytest.importorskip("google.protobuf", reason="the extra `protobuf`")

from hypothesis import given, settings
from hypothesis import strategies as st

from tchannel_yarpc.messages import MessageCodec, compact_text, describe_details

pytestmark = pytest.mark.extra


@pytest.fixture
def everything(pb):
    return pb.Everything(
        flag=True,
        blob=b'\x01"\\a\xff',
        colour=1,
        reason=pb.Reason(text='say "é"\n'),
        counts={"b": 2, "a": 1},
        numbers=[1.5, 2],
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_a_message_survives_the_way_there_and_back(everything, as_json):
    codec = MessageCodec(everything.DESCRIPTOR, as_json=as_json)

    assert codec.decode(codec.encode(everything)) == everything


@pytest.mark.parametrize("as_json", [False, True])
def test_messages_of_any_value_survive(pb, as_json):
    codec = MessageCodec(pb.SayRequest.DESCRIPTOR, as_json=as_json)
    whole = st.integers(-(2**63), 2**63 - 1)

    @settings(deadline=None)
    @given(st.text(), whole, st.binary(), st.lists(st.text(), max_size=3))
    def survives(text, times, blob, tags):
        message = pb.SayRequest(text=text, times=times, blob=blob, tags=tags)
        assert codec.decode(codec.encode(message)) == message

    survives()


def test_json_is_that_of_protobuf(pb):
    codec = MessageCodec(pb.SayRequest.DESCRIPTOR, as_json=True)
    message = pb.SayRequest(text="é", times=2, blob=b"\1\2\3", tags=["t"])

    assert codec.encode(message).decode() == '{"text":"é","times":"2","blob":"AQID","tags":["t"]}'
    assert codec.decode(b'{"text":"a","nobodyKnows":[1]}') == pb.SayRequest(text="a")


def test_no_bytes_are_an_empty_message_but_no_json(pb):
    assert MessageCodec(pb.Empty.DESCRIPTOR, as_json=False).decode(b"") == pb.Empty()
    with pytest.raises(ValueError, match=r"no demo\.echo\.Empty"):
        MessageCodec(pb.Empty.DESCRIPTOR, as_json=True).decode(b"")


@pytest.mark.parametrize(
    ("as_json", "data"),
    [
        (False, b"\xff"),
        (False, b"\x0a\x7fshort"),
        (True, b"{"),
        (True, b"[]"),
        (True, b'{"text":1}'),
        (True, b'{"times":"x"}'),
        (True, b"[" * 100_000),
        (True, b"\xff"),
    ],
)
def test_bytes_that_are_no_message_are_a_value_error(pb, as_json, data):
    codec = MessageCodec(pb.SayRequest.DESCRIPTOR, as_json=as_json)

    with pytest.raises(ValueError, match=r".") as caught:
        codec.decode(data)
    assert type(caught.value).__module__ == "builtins"


def test_what_is_no_message_of_the_type_is_a_type_error(pb):
    codec = MessageCodec(pb.SayRequest.DESCRIPTOR, as_json=False)

    for wrong in (pb.Empty(), pb.SayRequest, {"text": "a"}, None, b""):
        with pytest.raises(TypeError, match=r"of type demo\.echo\.SayRequest is needed"):
            codec.encode(wrong)


def test_details_are_told_as_yarpc_does(pb):
    assert describe_details([pb.Reason(text="d0"), pb.Empty()]) == (
        "Reason",
        '[]{ Reason{text:"d0" } , Empty{} }',
    )
    assert describe_details([]) == (None, "[]{  }")
    with pytest.raises(TypeError, match="text or messages"):
        describe_details(["text", 3])


def test_the_text_of_a_message_is_on_one_line(everything):
    assert compact_text(everything) == (
        'flag:true blob:"\\001\\"\\\\a\\377" colour:RED reason:<text:"say \\"é\\"\\n" > '
        'counts:<key:"a" value:1 > counts:<key:"b" value:2 > numbers:1.5 numbers:2.0 '
    )


def test_an_enum_value_that_nobody_knows_is_told_as_a_number(pb):
    assert compact_text(pb.Everything(colour=7)) == "colour:7 "
