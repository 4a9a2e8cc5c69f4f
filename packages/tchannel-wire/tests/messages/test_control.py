"""Cancel, claim and ping: what is special about each."""

from tchannel_wire import Cancel, Frame, FrameType, decode, encode


def test_cancel_without_a_body_is_accepted_and_written_in_the_long_form():
    message = decode(Frame(FrameType.CANCEL, 1).encode())

    assert message == Cancel(id=1)
    assert len(encode(message)) == 16 + 4 + 25 + 2
