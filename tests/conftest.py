"""What all tests of the whole repository share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def skip_or_fail() -> Callable[[str], None]:
    """A function to say that something is not installed here.

    The test is skipped, but fails where TCHANNEL_REQUIRE_PEERS is set, as the continuous integration
    does: nothing may be skipped there.
    """

    def decide(reason: str) -> None:
        if os.environ.get("TCHANNEL_REQUIRE_PEERS", "") not in {"", "0"}:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return decide
