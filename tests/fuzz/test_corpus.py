"""What fuzzing has kept goes through every target again, and so do its first inputs."""

import pytest
from fuzzing import corpus
from fuzzing.choices import Choices
from fuzzing.seeds import seeds
from fuzzing.targets import TARGETS

import tchannel_wire as wire


@pytest.mark.parametrize("name", TARGETS)
def test_every_kept_input_of_a_target_passes(name):
    kept = corpus.read(name)
    assert kept, f"nothing is kept for {name}"

    for known in kept:
        TARGETS[name](known)


@pytest.mark.parametrize("name", TARGETS)
def test_the_first_inputs_of_a_target_pass(name):
    for seed in seeds(name):
        TARGETS[name](seed)


def test_the_corpus_has_a_file_for_each_target_and_no_other():
    assert {path.name for path in corpus.FOLDER.iterdir()} == {f"{name}.hex" for name in TARGETS}


@pytest.mark.parametrize("name", ["connection", "conversation"])
def test_a_call_without_an_end_is_noticed(name, monkeypatch):
    # The clock ends none of them any more.
    monkeypatch.setattr(wire.Connection, "expire", lambda connection, now: [])

    with pytest.raises(AssertionError):
        for known in corpus.read(name):
            TARGETS[name](known)


def test_decisions_end_in_zero_when_the_bytes_are_used_up():
    choices = Choices(b"\x05\x02ab")

    assert (choices.number(4), choices.some(), choices.left) == (1, b"ab", False)
    assert (choices.number(1000), choices.flag(), choices.rest()) == (0, False, b"")
