"""The harness measures for real here, on the floor: the contender that needs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness.contenders import CONTENDERS
from harness.interpreters import Interpreter
from harness.measurement import WORKERS, Entry, Timing, measure_once, take_turns
from harness.processes import WorkerFailedError, WorkerMissingError, WorkerProcess, running_on
from harness.workloads import WORKLOADS

HERE = Interpreter("here", Path(sys.executable))
SHORT = Timing(rounds=3, warm_up=0.01, measured=0.05, latency=0.02)
SMALL = WORKLOADS["raw-16B-32"]


def floor(interpreter=HERE):
    return Entry(CONTENDERS["floor-asyncio"], interpreter)


@pytest.mark.parametrize("name", ["raw-16B-1", "raw-16B-32", "raw-1MiB-4", "connections-100"])
def test_a_measurement_accounts_for_both_processes(name):
    figures, facts = measure_once(floor(), WORKLOADS[name], SHORT)

    assert figures["calls"] > 0
    assert figures["cpu_us"] == pytest.approx(figures["client_us"] + figures["server_us"])
    assert 0 < figures["p50_us"] <= figures["p99_us"]
    assert facts["loop"] == "asyncio"


def test_contenders_take_turns_and_each_round_gives_a_sample():
    told = []
    second = Entry(CONTENDERS["floor-asyncio"], Interpreter("again", Path(sys.executable)))

    results = list(take_turns([floor(), second], [SMALL], SHORT, told.append))

    assert [len(result.samples) for result in results] == [3, 3]
    assert [line.rpartition("@")[2] for line in told] == [
        "here", "again", "again", "here", "here", "again",
    ]  # fmt: skip


def test_workloads_that_are_compared_take_turns_too_and_who_cannot_do_one_is_left_out():
    told = []
    ours = Entry(CONTENDERS["ours-asyncio"], HERE)
    hooks = [workload for workload in WORKLOADS.values() if workload.series == "hooks"]

    results = list(take_turns([ours, floor()], hooks, SHORT, told.append))

    assert [result.workload for result in results] == [workload.name for workload in hooks]
    assert [len(result.samples) for result in results] == [3, 3, 3]
    assert [line.split(":")[0].rpartition("-")[2] for line in told] == [
        "none", "client", "both", "client", "both", "none", "both", "none", "client",
    ]  # fmt: skip


def test_a_missing_interpreter_is_a_result_with_the_reason():
    missing = Interpreter("3.99", None, "no such Python")

    (result,) = take_turns([floor(missing)], [SMALL], SHORT, lambda text: None)

    assert (result.status, result.reason, result.samples) == ("missing", "no such Python", [])


def worker_that(program):
    return WorkerProcess([sys.executable, "-c", program], {"role": "server"}, patience=5)


def test_what_a_worker_misses_is_told_apart_from_what_went_wrong():
    say = "import json; print(json.dumps({'event': '%s', 'reason': 'no grpc'}))"
    with worker_that(say % "missing") as worker, pytest.raises(WorkerMissingError, match="no grpc"):
        worker.expect("ready")
    with worker_that(say % "failed") as worker, pytest.raises(WorkerFailedError, match="no grpc"):
        worker.expect("ready")


def test_a_worker_that_dies_is_reported_with_its_last_words():
    with (
        worker_that("raise SystemExit('out of luck')") as worker,
        pytest.raises(WorkerFailedError, match="status 1: out of luck"),
    ):
        worker.expect("ready")


def test_a_worker_that_ignores_the_end_of_its_stdin_is_killed():
    with worker_that(
        'import time; print(\'{"event": "ready"}\', flush=True); time.sleep(60)'
    ) as worker:
        worker.expect("ready")
        pid = worker.pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_processes_inherit_the_cores_and_ours_are_given_back():
    before = os.sched_getaffinity(0)
    one = {min(before)}
    with running_on(one):
        assert os.sched_getaffinity(0) == one

    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("name", ["apart-calls", "apart-pieces", "apart-router"])
def test_answers_that_come_apart_are_measured(name):
    figures, _ = measure_once(Entry(CONTENDERS["ours-asyncio"], HERE), WORKLOADS[name], SHORT)

    assert figures["calls"] > 0
    assert ("router_us" in figures) is WORKLOADS[name].routed
    # What the handlers wait for is in the time of a call: 5 ms, and 1 ms before each of 4 pieces.
    assert figures["p50_us"] > 4000


def test_small_frames_are_delayed_on_accepted_connections_alone_where_that_is_asked_for():
    program = """
import socket, worker
worker.delay_small_frames()
with socket.create_server(("127.0.0.1", 0)) as listening:
    with socket.create_connection(listening.getsockname()) as opened:
        accepted, _ = listening.accept()
        with accepted:
            for sock in (opened, accepted):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                print(bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=WORKERS, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False"]
