from __future__ import annotations

import pytest
from harness.contenders import CONTENDERS, chosen_contenders
from harness.workloads import WORKLOADS, chosen_workloads


def test_patterns_choose_workloads_in_their_own_order():
    names = [workload.name for workload in chosen_workloads(["json-*", "raw-16B-1"])]

    assert names == ["raw-16B-1", "json-kv-32"]


def test_without_a_pattern_everything_is_chosen():
    assert [workload.name for workload in chosen_workloads([])] == list(WORKLOADS)
    assert [contender.name for contender in chosen_contenders([])] == list(CONTENDERS)


def test_a_pattern_that_matches_nothing_is_refused_by_name():
    with pytest.raises(ValueError, match="'rwa"):
        chosen_workloads(["rwa-16B-1"])
    with pytest.raises(ValueError, match="'go'"):
        chosen_contenders(["go"])


def test_calls_through_the_router_have_one_on_their_way():
    assert [name for name, workload in WORKLOADS.items() if workload.routed] == [
        "router-16B-32", "apart-router",
    ]  # fmt: skip


def test_every_workload_has_a_contender():
    kinds = frozenset[str]().union(*(contender.kinds for contender in CONTENDERS.values()))

    assert {workload.kind for workload in WORKLOADS.values()} <= kinds
