from __future__ import annotations

from harness.report import bars_table, number, workload_table


def test_a_missing_contender_is_listed_with_its_reason(make_result):
    table = workload_table(
        [
            make_result("raw-16B-32", "node", 10.0),
            make_result("raw-16B-32", "py21", status="missing", reason="not installed"),
        ]
    )

    assert "py21: missing: not installed" in table


def test_every_row_names_runtime_loop_and_handler(make_result):
    result = make_result("raw-16B-32", "ours-uvloop@3.13", 10.0)
    result.runtime, result.loop, result.handler = "CPython 3.13.0", "uvloop", "async def"

    (row,) = [line for line in workload_table([result]).splitlines() if "ours-uvloop" in line]

    assert all(word in row for word in ("CPython 3.13.0", "uvloop", "async def"))


def test_without_a_bar_there_is_no_table_of_bars():
    assert bars_table([]) == ""


def test_numbers_keep_the_digits_that_matter():
    assert [number(value) for value in (2.625, 37.25, 25642.4)] == ["2.62", "37.2", "25,642"]
