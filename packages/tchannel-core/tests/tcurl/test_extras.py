"""The extra `tcurl`, there and not there."""

import importlib.util
import sys

import pytest

from tchannel.tcurl.extras import import_extra, missing_note
from tchannel.tcurl.failures import ToolError


def test_a_module_that_misses_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)

    with pytest.raises(
        ToolError, match=r"YAML is not installed: pip install 'tchannel-core\[tcurl\]'"
    ):
        import_extra("yaml", "YAML")


def test_one_line_says_what_misses(monkeypatch):
    there = {"rich": object(), "yaml": None, "hdrh": None}
    monkeypatch.setattr(importlib.util, "find_spec", there.get)

    note = missing_note()

    assert note is not None
    assert note.startswith("not installed: YAML, the load mode; ")
    assert "pip install 'tchannel-core[tcurl]'" in note


def test_nothing_is_said_where_all_is_there(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())

    assert missing_note() is None
