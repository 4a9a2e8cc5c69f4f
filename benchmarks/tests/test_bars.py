from __future__ import annotations

import pytest
from harness.bars import BARS, judge
from harness.contenders import CONTENDERS
from harness.startup import Startup
from harness.workloads import WORKLOADS


def verdict_on(verdicts, *words):
    (found,) = [one for one in verdicts if all(word in one.title for word in words)]
    return found


def test_a_ratio_at_its_bar_is_held_and_one_above_is_missed(make_result):
    node = make_result("raw-16B-32", "node", 100.0)
    for cost, held in ((42.0, True), (42.1, False)):
        ours = make_result("raw-16B-32", "ours-uvloop@3.13", cost)

        verdict = verdict_on(judge([ours, node], []), "node")

        assert verdict.value == pytest.approx(cost / 100)
        assert verdict.held is held


def test_a_bar_whose_contender_is_missing_is_listed_as_not_measured(make_result):
    ours = make_result("raw-16B-32", "ours-uvloop@3.13", 15.0)
    node = make_result("raw-16B-32", "node", status="missing", reason="not installed")

    verdict = verdict_on(judge([ours, node], []), "node")

    assert verdict.value is None
    assert verdict.held is None


def test_bytes_per_second_must_be_at_least_the_bar(make_result):
    figure = "bytes_per_second"
    ours = make_result("raw-1MiB-4", "ours-uvloop@3.13", 60.0, figure=figure)
    floor = make_result("raw-1MiB-4", "floor-uvloop@3.13", 100.0, figure=figure)

    assert verdict_on(judge([ours, floor], []), "bytes/s").held is False


def test_hooks_on_the_client_alone_and_on_both_sides_are_judged_by_the_same_bar(make_result):
    entry = "ours-uvloop@3.13"
    results = [
        make_result("raw-16B-32-hooks-none", entry, 100.0),
        make_result("raw-16B-32-hooks-client", entry, 109.0),
        make_result("raw-16B-32-hooks-both", entry, 118.0),
    ]

    verdicts = judge(results, [])

    assert verdict_on(verdicts, "interceptor", "on the client").held is True
    assert verdict_on(verdicts, "interceptor", "on both sides").held is False


def test_an_import_is_judged_by_its_milliseconds():
    startup = Startup("tchannel_wire", "asyncio", "3.13", seconds=[0.012, 0.014, 0.020])

    (verdict,) = judge([], [startup])

    assert verdict.value == pytest.approx(14.0)
    assert verdict.held is True


@pytest.mark.parametrize("bar", BARS, ids=lambda bar: bar.title)
def test_every_bar_names_workloads_and_contenders_that_exist(bar):
    for side in filter(None, (bar.ours, bar.other)):
        workload, entry = side
        contender = CONTENDERS[entry.partition("@")[0]]

        assert WORKLOADS[workload].kind in contender.kinds
