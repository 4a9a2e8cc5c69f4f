from __future__ import annotations

import charts


def result(workload, entry, cost):
    return {"workload": workload, "entry": entry, "median": {"cpu_us": cost}}


def test_points_stand_in_the_order_of_the_axis():
    found = charts.series_of(
        charts.CHARTS[0],
        [result("raw-16B-256", "node", 30.0), result("raw-16B-1", "node", 60.0)],
    )

    assert found == {"node": [(1, 60.0), (256, 30.0)]}


def test_a_contender_that_was_missing_draws_no_line():
    missing = {"workload": "raw-16B-1", "entry": "py21", "median": {}}

    assert charts.series_of(charts.CHARTS[0], [missing, missing]) == {}


def test_ticks_name_sizes_by_their_unit():
    assert [charts.label_of(value) for value in (16, 1024, 65536, 1048576, 10_000)] == [
        "16", "1 KiB", "64 KiB", "1 MiB", "10,000",
    ]  # fmt: skip
