"""Leaving: the announcement, what becomes of calls, and other errors about the connection."""

import pytest

import tchannel_wire as wire
from tchannel_wire import ConnectionState, ErrorCode


def test_draining_is_announced_once_and_new_calls_are_declined(pair, decode_all, raw):
    under_way = pair.request()
    pair.server.drain("restart")
    pair.server.drain("again")
    assert pair.server.state is ConnectionState.DRAINING
    (told,) = pair.to_client()
    assert told == wire.DrainReceived("restart")
    assert pair.client.peer_draining

    call = pair.call(context="late")
    (refused,) = pair.to_server()
    assert (refused.error.code, refused.service) == (ErrorCode.DECLINED, "svc")
    (declined,) = pair.to_client()
    assert declined.id == call.id
    assert (declined.code, declined.description) == (ErrorCode.DECLINED, "draining: restart")

    assert pair.server.respond(under_way.id, raw, b"", b"done")
    assert pair.to_client()[0].arg3 == b"done"


def test_who_only_announces_that_it_leaves_goes_on_serving(pair, raw):
    pair.server.drain("idle", decline=False)
    assert pair.server.state is ConnectionState.OPEN
    assert pair.to_client() == [wire.DrainReceived("idle")]
    event = pair.request()
    pair.server.respond(event.id, raw, b"", b"served")
    assert pair.to_client()[0].arg3 == b"served"

    pair.server.drain("closing")
    assert pair.to_client() == [wire.DrainReceived("closing")]
    assert pair.server.state is ConnectionState.DRAINING


def test_calls_of_one_that_drains_come_to_their_end(pair, raw):
    event = pair.request()
    pair.client.drain("bye")
    pair.to_server()
    pair.server.respond(event.id, raw, b"", b"ok")

    assert isinstance(pair.to_client()[0], wire.ResponseReceived)


def test_notice_of_draining_is_an_error_frame_about_no_message(pair):
    pair.server.drain("why")

    assert wire.decode(pair.server.data_to_send()) == wire.ErrorMessage(
        id=wire.NO_MESSAGE_ID, code=ErrorCode.DECLINED, description="draining: why"
    )


@pytest.mark.parametrize("reason", ["", " "])
def test_draining_needs_a_reason(pair, reason):
    with pytest.raises(ValueError, match="reason"):
        pair.server.drain(reason)
    assert pair.server.state is ConnectionState.OPEN


@pytest.mark.parametrize("code", [ErrorCode.BUSY, ErrorCode.DECLINED, ErrorCode.NETWORK, 0x42])
def test_other_errors_about_the_connection_are_only_told(pair, code):
    frame = wire.encode(wire.ErrorMessage(code=code, description="hm"))

    assert pair.client.receive(frame, pair.now) == [wire.NoticeReceived(code, "hm")]
    assert pair.client.state is ConnectionState.OPEN
