from __future__ import annotations

import check
import pytest

REFERENCE = {"floor": 100.0, "wire": 400.0, "channel": 1000.0}


def test_the_same_figures_are_once_the_reference():
    assert check.compare(REFERENCE, REFERENCE) == {"wire": 1.0, "channel": 1.0}


def test_an_interpreter_that_is_slower_at_everything_changes_nothing():
    slower = {path: 3 * cost for path, cost in REFERENCE.items()}

    assert check.compare(slower, REFERENCE)["channel"] == pytest.approx(1.0)


def test_a_path_a_third_dearer_fails_the_check(monkeypatch, capsys):
    monkeypatch.setattr(check, "read_reference", lambda: {"3.13": {"instructions": REFERENCE}})
    monkeypatch.setattr(check, "measure", lambda method: {**REFERENCE, "channel": 1330.0})

    assert check.check("3.13", "instructions") == 1
    assert (
        "channel: 1330 instructions per call, 1.330 of the reference: DEARER"
        in capsys.readouterr().out
    )


def test_a_path_a_fifth_dearer_is_within_the_tolerance(monkeypatch):
    monkeypatch.setattr(check, "read_reference", lambda: {"3.13": {"instructions": REFERENCE}})
    monkeypatch.setattr(check, "measure", lambda method: {**REFERENCE, "channel": 1200.0})

    assert check.check("3.13", "instructions") == 0


def test_a_python_without_reference_is_an_error_and_not_a_pass(monkeypatch):
    monkeypatch.setattr(check, "read_reference", dict)

    with pytest.raises(check.CheckError, match=r"3\.99"):
        check.check("3.99", "instructions")


def test_start_up_cancels_out():
    def count(path, calls):
        return 1e9 + 500.0 * calls

    assert check.instructions_per_call(count, ("floor",)) == {"floor": 500.0}
