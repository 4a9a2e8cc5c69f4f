"""Figures and names that the whole library agrees on."""

import tchannel
import tchannel_wire as wire
from tchannel import glossary


def test_the_default_timeout_is_30_seconds() -> None:
    assert glossary.DEFAULT_TIMEOUT == 30


def test_the_largest_id_leaves_all_ones_free() -> None:
    assert glossary.MAX_MESSAGE_ID == 0xFFFFFFFE


def test_language_and_interpreter_are_those_of_the_init_message() -> None:
    opened = wire.Connection(opener=True, host_port="127.0.0.1:1", process_name="p", now=0.0)
    accepted = wire.Connection(opener=False, host_port="127.0.0.1:2", process_name="q", now=0.0)
    (event,) = accepted.receive(opened.data_to_send(), 0.0)
    assert isinstance(event, wire.Connected)

    said = event.remote.headers
    assert said["tchannel_language"] == glossary.TCHANNEL_LANGUAGE
    assert said["tchannel_language_version"] == glossary.TCHANNEL_LANGUAGE_VERSION
    assert tchannel.__version__ == glossary.TCHANNEL_VERSION
