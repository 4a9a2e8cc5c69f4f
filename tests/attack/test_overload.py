"""Twice and six times what a service can do: it does nearly as much as it can, and refuses the rest."""

import json
import os
import sys

import pytest

SECONDS = float(os.environ.get("ATTACK_SECONDS", "60"))
CPU, TTL = 0.002, 1.0


def on_core(process, core):
    """Let server and generator have a core each, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process.pid, {cores[core % len(cores)]})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("factor", [2, 6])
@pytest.mark.parametrize("endpoint", ["work", "awork"])
def test_an_overloaded_service_answers_most_of_what_it_can_in_time(
    victim, start_script, endpoint, factor, loop
):
    service = victim(loop)
    on_core(service.process, 0)
    load = start_script(
        "load.py", service.port, service.process.pid, endpoint, CPU, TTL, factor, SECONDS
    )
    on_core(load, 1)
    output, _ = load.communicate(timeout=290)
    seen = json.loads(output)
    share = seen["in_time_per_second"] / min(seen["capacity"], seen["after"])
    print(f"\n{endpoint} x{factor} on {loop}: {share:.0%} in time; {seen}", file=sys.__stdout__)

    assert share >= 0.8
    assert seen["p99"] <= 2 * TTL
    assert seen["unanswered"] == 0
    assert seen["recovered"] <= 2
