"""The harness's modules are found as the programs of this folder find them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent
for folder in (BENCHMARKS, BENCHMARKS / "contenders"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture
def make_result():
    """Makes a result with the given samples of one figure."""
    from harness.measurement import Result

    def make(workload, entry, *samples, figure="cpu_us", status="ok", reason=""):
        return Result(
            workload,
            entry,
            entry.partition("@")[0],
            entry.partition("@")[2],
            status=status,
            reason=reason,
            samples=[
                {
                    "calls_per_second": 1.0, "client_us": 1.0, "server_us": 1.0, "cpu_us": 1.0,
                    "p50_us": 1.0, "p99_us": 1.0, figure: sample,
                }
                for sample in samples
            ],
        )  # fmt: skip

    return make
