"""Fixtures for the tests of the Thrift engine."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tchannel_thrift.rw import Loader


@pytest.fixture
def compiled() -> Callable[[str], ModuleType]:
    """Compiles a document as thriftrw would."""
    return lambda document: Loader().loads("service", document)


@pytest.fixture
def lenient() -> Callable[[str], ModuleType]:
    """Compiles a document as the Apache compiler would."""
    return lambda document: Loader(strict=False).loads("service", document)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """Writes files, given as ``{relative path: text}``; returns the directory."""

    def write(contents: dict[str, str]) -> Path:
        for name, text in contents.items():
            path = tmp_path / name
            os.makedirs(path.parent, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write
