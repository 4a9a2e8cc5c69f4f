"""The table of states: every pair of state and input, and what an absent one means."""

import pytest

from tchannel_wire import (
    Connection,
    ConnectionClosed,
    ErrorCode,
    Frame,
    FrameType,
    LocalInput,
    LocalProtocolError,
    ProtocolError,
)
from tchannel_wire import (
    ConnectionState as State,
)
from tchannel_wire.states import TRANSITIONS, after_frame, after_input

ALL_TYPES = [*FrameType, 0x00, 0x05, 0x55]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("type", ALL_TYPES)
def test_every_frame_in_every_state_leads_to_a_state_or_is_the_peer_s_fatal_error(state, type):
    allowed = {int(key): new for key, new in TRANSITIONS[state].items() if key in list(FrameType)}
    if type in allowed:
        assert after_frame(state, type) is allowed[type]
    elif state is not State.CLOSED:
        with pytest.raises(ProtocolError) as caught:
            after_frame(state, type)
        assert caught.value.code == ErrorCode.FATAL


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("input", LocalInput)
def test_every_local_input_leads_to_a_state_or_is_the_user_s_error(state, input):
    if input in TRANSITIONS[state]:
        assert after_input(state, input) in State
    else:
        with pytest.raises(LocalProtocolError, match=input.value):
            after_input(state, input)


def test_closed_is_final():
    assert set(TRANSITIONS[State.CLOSED].values()) == {State.CLOSED}


def reach(state):
    """A connection in `state`, with nothing queued."""
    opener = state is State.AWAITING_INIT_RESPONSE
    connection = Connection(opener=opener, host_port="127.0.0.1:1", process_name="p", now=0.0)
    if state in (State.OPEN, State.DRAINING, State.CLOSED):
        peer = Connection(opener=True, host_port="127.0.0.1:2", process_name="q", now=0.0)
        connection.receive(peer.data_to_send(), 0.0)
    if state is State.DRAINING:
        connection.drain("test")
    if state is State.CLOSED:
        connection.close(0.0)
    connection.data_to_send()
    assert connection.state is state
    return connection


EMPTY_OF_TYPE = {
    FrameType.INIT_REQUEST: b"\0\2\0\2\0\x09host_port\0\x05h:123\0\x0cprocess_name\0\1p",
    FrameType.INIT_RESPONSE: b"\0\2\0\2\0\x09host_port\0\x05h:123\0\x0cprocess_name\0\1p",
    FrameType.ERROR: b"\6" + bytes(25) + b"\0\0",
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("type", ALL_TYPES)
def test_connection_follows_the_table_for_every_frame_in_every_state(state, type):
    connection = reach(state)
    events = connection.receive(Frame(type, 1, EMPTY_OF_TYPE.get(type, b"")).encode(), 1.0)
    expected = TRANSITIONS[state].get(type)

    if state is State.CLOSED:
        assert events == []
        assert not connection.has_data
    elif expected is None:
        assert isinstance(events[-1], ConnectionClosed)
        assert events[-1].error.code == ErrorCode.FATAL
        assert connection.state is State.CLOSED
        answer = Frame.decode(connection.data_to_send())
        assert (answer.type, answer.id, answer.payload[0]) == (FrameType.ERROR, 0xFFFFFFFF, 0xFF)
    else:
        assert connection.state is expected


@pytest.mark.parametrize("state", [s for s in State if s not in (State.OPEN, State.DRAINING)])
def test_nothing_can_be_started_unless_the_connection_is_open(state, prepared, tracing):
    connection = reach(state)
    for start in (
        lambda: connection.call(prepared(), b"", b"", ttl=1, tracing=tracing, now=0.0),
        lambda: connection.start_call(prepared(), b"", ttl=1, tracing=tracing, now=0.0),
        lambda: connection.ping(0.0),
        lambda: connection.claim(tracing, 1.0, now=0.0),
        lambda: connection.drain("why"),
    ):
        with pytest.raises(LocalProtocolError, match="the connection is"):
            start()
    assert not connection.has_data


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_closed_once(state):
    connection = reach(state)
    events = connection.close(1.0)

    assert events == ([] if state is State.CLOSED else [ConnectionClosed(None, [], [])])
    assert connection.close(1.0) == []
    assert connection.receive_eof(1.0) == []
