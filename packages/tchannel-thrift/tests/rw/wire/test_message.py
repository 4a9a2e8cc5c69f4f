from tchannel_thrift import rw
from tchannel_thrift.rw.wire import Message, mtype, ttype


def test_message_is_one_class_under_both_names():
    assert rw.value.Message is rw.wire.Message is rw.Message


def test_message_shows_its_type_by_name():
    assert repr(Message(b"f", 5, mtype.CALL, None)) == "Message(b'f', 5, 'CALL', None)"
    assert repr(Message(b"f", 5, 99, None)) == "Message(b'f', 5, '99', None)"


def test_a_name_that_is_text_is_encoded():
    assert Message("größe", 5, mtype.CALL, None).name == "größe".encode()
    assert Message(name="x", seqid=1, message_type=1, body=None) == Message(b"x", 1, 1, None)


def test_messages_are_equal_by_content():
    assert Message(b"f", 5, 1, "x") == Message(b"f", 5, 1, "x")
    for other in (
        Message(b"g", 5, 1, "x"),
        Message(b"f", 6, 1, "x"),
        Message(b"f", 5, 2, "x"),
        Message(b"f", 5, 1, "y"),
        "x",
    ):
        assert Message(b"f", 5, 1, "x") != other


def test_message_types_have_the_numbers_of_the_protocol():
    assert (mtype.CALL, mtype.REPLY, mtype.EXCEPTION, mtype.ONEWAY) == (1, 2, 3, 4)
    assert frozenset({1, 2, 3, 4}) == mtype.MESSAGE_TYPES
    assert [mtype.name_of(number) for number in (1, 5)] == ["CALL", None]


def test_types_have_names():
    assert ttype.name_of(ttype.I32) == "i32"
    assert ttype.name_of(0x77) == "type 0x77"
