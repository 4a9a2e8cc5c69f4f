"""What the tests of the native ways share: both ways side by side.

They need the compiled module, which is on the path in ``make test-native`` and where the wheel is
installed; elsewhere they are skipped. TCHANNEL_REQUIRE_NATIVE=1 makes that a failure.
"""

import hashlib
import inspect
import os
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

import pytest
from hypothesis import settings

# A machine that is busy with something else makes no test wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

IS_HERE = find_spec("tchannel_speedups") is not None and (
    find_spec("tchannel_speedups._native") is not None
)

collect_ignore_glob = [] if IS_HERE else ["*"]


def pytest_sessionstart(session: pytest.Session) -> None:
    if not IS_HERE and os.environ.get("TCHANNEL_REQUIRE_NATIVE", "") not in {"", "0"}:
        pytest.exit("the native module is not on the path", returncode=1)


@pytest.fixture
def purely():
    """Makes the context in which one part runs in Python."""
    from tchannel_speedups import parts

    @contextmanager
    def purely(part: str):
        replaced = parts.undo(part)
        assert replaced, f"{part} runs in Python already"
        try:
            yield
        finally:
            parts.offer(part, parts.LAYOUTS[part])
            assert parts.active()[part] == parts.NATIVE

    return purely


def source_hash(name: str) -> str:
    """A hash of the source of a function or class, by its dotted name."""
    module, *rest = name.split(".")
    found = import_module(module)
    for one in rest:
        found = getattr(found, one, None) or import_module(f"{found.__name__}.{one}")
    found = inspect.unwrap(found) if callable(found) and not isinstance(found, type) else found
    return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


@pytest.fixture
def changed_twins() -> Callable[[dict[str, str]], dict[str, str]]:
    """Of a table of names and hashes, those that are not true any more, with what is."""

    def changed(table: dict[str, str]) -> dict[str, str]:
        now = {name: source_hash(name) for name in table}
        return {name: now[name] for name in table if now[name] != table[name]}

    return changed
