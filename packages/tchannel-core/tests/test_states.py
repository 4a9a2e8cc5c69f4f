"""The table of a channel's states: every pair of state and input, and what an absent one means."""

import asyncio
import contextlib

import pytest

from tchannel import TChannel
from tchannel._life.states import TRANSITIONS, ChannelState, LifeInput, after
from tchannel.lowlevel import InnerChannel, inside

STEPS = {
    ("OPEN", "LOOP_TAKEN"): "OPEN",
    ("OPEN", "LOOP_ENDED"): "SUSPENDED",
    ("OPEN", "FORKED"): "OPEN",
    ("OPEN", "CLOSE"): "WINDING_DOWN",
    ("SUSPENDED", "LOOP_TAKEN"): "OPEN",
    ("SUSPENDED", "FORKED"): "OPEN",
    ("SUSPENDED", "CLOSE"): "WINDING_DOWN",
    ("WINDING_DOWN", "LOOP_TAKEN"): "WINDING_DOWN",
    ("WINDING_DOWN", "LOOP_ENDED"): "CLOSING",
    ("WINDING_DOWN", "FORKED"): "CLOSED",
    ("WINDING_DOWN", "CLOSE"): "WINDING_DOWN",
    ("WINDING_DOWN", "OWN_CALLS_ENDED"): "DRAINING",
    ("WINDING_DOWN", "NOTHING_LEFT"): "CLOSED",
    ("DRAINING", "LOOP_TAKEN"): "DRAINING",
    ("DRAINING", "LOOP_ENDED"): "CLOSING",
    ("DRAINING", "FORKED"): "CLOSED",
    ("DRAINING", "CLOSE"): "WINDING_DOWN",
    ("DRAINING", "SERVED"): "CLOSING",
    ("CLOSING", "LOOP_TAKEN"): "CLOSING",
    ("CLOSING", "LOOP_ENDED"): "CLOSING",
    ("CLOSING", "FORKED"): "CLOSED",
    ("CLOSING", "CLOSE"): "WINDING_DOWN",
    ("CLOSING", "OWN_CALLS_ENDED"): "CLOSING",
    ("CLOSING", "SERVED"): "CLOSING",
    ("CLOSING", "NOTHING_LEFT"): "CLOSED",
    ("CLOSED", "LOOP_TAKEN"): "CLOSED",
    ("CLOSED", "LOOP_ENDED"): "CLOSED",
    ("CLOSED", "FORKED"): "CLOSED",
    ("CLOSED", "OWN_CALLS_ENDED"): "CLOSED",
    ("CLOSED", "SERVED"): "CLOSED",
    ("CLOSED", "NOTHING_LEFT"): "CLOSED",
}


@pytest.mark.parametrize("state", ChannelState)
@pytest.mark.parametrize("input", LifeInput)
def test_every_input_in_every_state_leads_to_a_state_or_is_a_mistake_of_ours(state, input):
    expected = STEPS.get((state.name, input.name))
    if expected is not None:
        assert after(state, input) is ChannelState[expected]
    else:
        assert input not in TRANSITIONS[state]
        with pytest.raises(RuntimeError, match=f"cannot {input.value} while it is {state.text}"):
            after(state, input)


@pytest.mark.parametrize(
    ("state", "connects", "serves", "ends"),
    [
        (ChannelState.OPEN, True, True, False),
        (ChannelState.SUSPENDED, False, True, False),
        (ChannelState.WINDING_DOWN, True, True, True),
        (ChannelState.DRAINING, True, False, True),
        (ChannelState.CLOSING, False, False, True),
        (ChannelState.CLOSED, False, False, True),
    ],
)
def test_each_state_says_what_a_channel_does_in_it(state, connects, serves, ends):
    assert (state.connects, state.serves, state.ends) == (connects, serves, ends)


async def test_closing_takes_its_steps_in_order(joined, monkeypatch):
    steps = []
    step = InnerChannel.step

    def noted(channel, input):
        step(channel, input)
        if channel is inside(joined.server):
            steps.append(channel.state.name)

    monkeypatch.setattr(InnerChannel, "step", noted)
    closing = joined.server.close()
    await joined.advance(5)
    await closing

    assert steps == ["WINDING_DOWN", "DRAINING", "CLOSING", "CLOSED"]


def test_a_channel_is_suspended_between_two_loops():
    channel = TChannel("moves")

    async def use():
        channel.use_loop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return channel.state

    assert asyncio.run(use()) is ChannelState.OPEN
    assert channel.state is ChannelState.SUSPENDED
    assert asyncio.run(use()) is ChannelState.OPEN
    asyncio.run(channel_closed(channel))
    assert channel.state is ChannelState.CLOSED


async def channel_closed(channel):
    await channel.close()


def test_the_end_of_a_loop_that_a_channel_has_left_is_no_concern_of_it():
    channel = TChannel("moves")
    first = asyncio.new_event_loop()
    second = asyncio.new_event_loop()

    async def use():
        channel.use_loop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    first.run_until_complete(use())
    second.run_until_complete(use())
    first.run_until_complete(first.shutdown_asyncgens())
    first.close()

    assert channel.state is ChannelState.OPEN
    second.run_until_complete(channel.close())
    second.run_until_complete(second.shutdown_asyncgens())
    second.close()


async def test_the_child_of_a_fork_can_close_what_its_parent_was_closing(make_channel):
    channel = make_channel("closing")
    channel.use_loop()
    closing = channel.close(grace=5)
    inside(channel).forked()

    assert channel.is_closed()
    await asyncio.wait_for(channel.close(), 1)
    with contextlib.suppress(Exception):
        await closing
