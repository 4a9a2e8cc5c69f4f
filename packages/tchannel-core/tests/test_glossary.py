"""Figures and names that the whole library agrees on."""

import platform

import tchannel
from tchannel import glossary


def test_the_default_timeout_is_30_seconds() -> None:
    assert glossary.DEFAULT_TIMEOUT == 30


def test_the_largest_id_leaves_all_ones_free() -> None:
    assert glossary.MAX_MESSAGE_ID == 0xFFFFFFFE


def test_language_and_version_name_this_interpreter_and_this_library() -> None:
    assert glossary.TCHANNEL_LANGUAGE == "python"
    interpreter = f"{platform.python_implementation()}-{platform.python_version()}"
    assert interpreter == glossary.TCHANNEL_LANGUAGE_VERSION
    assert tchannel.__version__ == glossary.TCHANNEL_VERSION
