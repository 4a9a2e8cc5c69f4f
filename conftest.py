"""What every test run says and holds: whether tchannel-speedups is in it."""

import os
from importlib import import_module
from importlib.util import find_spec

import pytest

PARTS = {"wire": "tchannel_wire", "thrift": "tchannel_thrift.rw", "core": "tchannel.channel"}
REQUIRED = ("wire", "thrift")  # of what is installed


def native() -> str:
    """What runs natively here, of what is installed."""
    if find_spec("tchannel_speedups") is None:
        return "nothing: tchannel-speedups is not on the path"
    for package in PARTS.values():
        if find_spec(package.partition(".")[0]) is not None:
            import_module(package)
    states = import_module("tchannel_speedups").active()
    return ", ".join(f"{part} {state}" for part, state in states.items())


def pytest_report_header() -> str:
    return f"native: {native()}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse to take a run in Python for a native one."""
    if os.environ.get("TCHANNEL_REQUIRE_NATIVE", "") not in {"", "0"}:
        said = native()
        wanted = [one for one in REQUIRED if find_spec(PARTS[one].partition(".")[0]) is not None]
        if not all(f"{part} native" in said for part in wanted):
            pytest.exit(f"this run is to be native, but {said}", returncode=1)
