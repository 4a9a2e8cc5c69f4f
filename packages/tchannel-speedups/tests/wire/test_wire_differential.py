"""The native ways of wire and the Python ones, the same conversations with both: both say the same."""

import os

import pytest

# More of them where there is time: SEEDS=5000.
SEEDS = int(os.environ.get("SEEDS", "60"))


@pytest.mark.parametrize("bad", [0.0, 0.03, 0.3])
def test_both_ways_say_the_same(purely, conversation, bad):
    for seed in range(SEEDS):
        native = conversation(seed, bad=bad).run(120)
        with purely("wire"):
            python = conversation(seed, bad=bad).run(120)

        for step, (one, other) in enumerate(zip(native, python, strict=True)):
            assert one == other, f"seed {seed}, step {step}"


def test_the_conversations_have_what_they_are_made_for(conversation):
    """Answers, refusals and broken connections are among them."""
    events = set()
    for seed in range(20):
        for one in conversation(seed, bad=0.05).run(120):
            if isinstance(one, list):
                events |= {event[0] for event in one}
            elif isinstance(one, tuple):
                events.add(one[0])

    wanted = {
        "RequestReceived",
        "ResponseReceived",
        "RequestRefused",
        "ConnectionClosed",
        "TypeError",
    }
    assert wanted | {"CallExpired", "ErrorReceived"} <= events
