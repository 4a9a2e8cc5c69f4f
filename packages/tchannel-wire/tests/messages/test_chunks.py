"""The checksum and the chunks of a call frame."""

import pytest

from tchannel_wire import (
    CallRequestContinue,
    ChecksumType,
    ErrorCode,
    Frame,
    FrameType,
    ProtocolError,
    decode,
)


@pytest.mark.parametrize("type", [4, 255])
def test_unknown_checksum_type_is_a_bad_request(type):
    with pytest.raises(ProtocolError, match=f"checksum type {type}") as caught:
        decode(
            Frame(FrameType.CALL_REQUEST_CONTINUE, 1, bytes([0, type, 0, 0, 0, 0, 0, 0])).encode()
        )
    assert caught.value.code == ErrorCode.BAD_REQUEST
    assert caught.value.message_id == 1


def test_checksum_is_computed_when_it_is_not_given():
    message = CallRequestContinue(id=1, checksum_type=ChecksumType.CRC32C, chunks=[b"123456789"])

    assert message.checksum == 0xE3069283
    assert not message.more
