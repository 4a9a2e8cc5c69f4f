from __future__ import annotations

import pytest
from harness.summary import medians, spread


def test_the_median_over_rounds_is_not_moved_by_one_bad_round(make_result):
    result = make_result("raw-16B-32", "node", 10.0, 11.0, 500.0)

    assert medians(result)["cpu_us"] == 11.0


def test_the_spread_is_the_range_over_the_median(make_result):
    result = make_result("raw-16B-32", "node", 9.0, 10.0, 12.0)

    assert spread(result, "cpu_us") == pytest.approx(0.3)


def test_a_result_without_samples_has_no_medians(make_result):
    assert medians(make_result("raw-16B-32", "node", status="missing")) == {}
