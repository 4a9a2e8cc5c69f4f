from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import check
import pytest

REFERENCE = {"floor": 100.0, "wire": 400.0, "channel": 1000.0, "alone": 3000.0}
BUILD = "3.13.0, GCC 12.2.0, plain"
# Counters alone have no reference of their own.
MEASURED = {**REFERENCE, "counters": 900.0}

WITHOUT_THE_CHANNEL = """
import sys, check
check.PATHS = ("wire",)
sys.exit(check.main([]))
"""
DEARER = """

def _dearer(self, data, now, receive=Connection.receive):
    for _ in range(32 * 150):
        pass
    return receive(self, data, now)

Connection.receive = _dearer
"""


@pytest.fixture
def fresh_clone(tmp_path):
    """The benchmarks and our sources as they are checked out: without any byte code."""
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(check.HERE, tmp_path / "benchmarks", ignore=left_out)
    for source in check.HERE.parent.glob("packages/*/src"):
        shutil.copytree(source, tmp_path / "src", ignore=left_out, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def check_in():
    """Checks the wire path of a copy in a process of its own; the exit code and what it printed."""

    def run(folder):
        settings = {key: value for key, value in os.environ.items() if "PYTHON" not in key}
        settings["PYTHONPATH"] = str(folder / "src")
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_THE_CHANNEL],
            cwd=folder / "benchmarks", env=settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


def test_compiling_falls_into_no_count(monkeypatch):
    compiled = set()
    monkeypatch.setattr(check, "run", lambda command, path, calls: compiled.add(path))

    def count(path, calls):
        compiling = 0.0 if path in compiled else 5e7
        compiled.add(path)
        return 1e9 + compiling + 100.0 * calls

    for name in ("count_with_valgrind", "count_with_perf"):
        monkeypatch.setattr(check, name, count)

    assert check.measure("instructions") == dict.fromkeys(MEASURED, 100.0)


@pytest.mark.timeout(300)  # valgrind is slow
@pytest.mark.skipif(
    shutil.which("valgrind") is None and not check.perf_counts(),
    reason="neither valgrind nor perf counts instructions here",
)
@pytest.mark.skipif(
    check.build() not in check.read_reference(),
    reason="no reference for this build of Python",
)
@pytest.mark.parametrize(
    ("added", "code", "verdict"),
    [("", 0, r"reference: ok$"), (DEARER, 1, r"reference: DEARER")],
    ids=["as it is", "dearer"],
)
def test_only_a_dearer_call_fails_in_a_fresh_clone(fresh_clone, check_in, added, code, verdict):
    with (fresh_clone / "src/tchannel_wire/connection.py").open("a", encoding="utf-8") as file:
        file.write(added)

    exit_code, printed = check_in(fresh_clone)

    assert exit_code == code, printed
    assert re.search(verdict, printed), printed


def test_the_same_figures_are_once_the_reference():
    assert check.compare(MEASURED, REFERENCE) == {
        "wire": 1.0, "channel": 1.0, "alone": 1.0, "counters": 0.9,
    }  # fmt: skip


def test_an_interpreter_that_is_slower_at_everything_changes_nothing():
    slower = {path: 3 * cost for path, cost in MEASURED.items()}

    assert check.compare(slower, REFERENCE)["channel"] == pytest.approx(1.0)


def test_a_path_a_third_dearer_fails_the_check(monkeypatch, capsys):
    monkeypatch.setattr(check, "read_reference", lambda: {BUILD: {"instructions": REFERENCE}})
    monkeypatch.setattr(check, "measure", lambda method: {**MEASURED, "channel": 1330.0})

    assert check.check(BUILD, "instructions") == 1
    assert (
        "channel: 1330 instructions per call, 1.330 of the reference: DEARER"
        in capsys.readouterr().out
    )


def test_a_path_a_fifth_dearer_is_within_the_tolerance(monkeypatch):
    monkeypatch.setattr(check, "read_reference", lambda: {BUILD: {"instructions": REFERENCE}})
    monkeypatch.setattr(check, "measure", lambda method: {**MEASURED, "channel": 1200.0})

    assert check.check(BUILD, "instructions") == 0


def test_a_known_build_is_compared_by_its_own_figures_whatever_the_floor(monkeypatch, capsys):
    others = {"3.13.0, Clang 18, PGO": {"instructions": {**REFERENCE, "wire": 1.0}}}
    reference = {**others, BUILD: {"instructions": REFERENCE}}
    monkeypatch.setattr(check, "read_reference", lambda: reference)
    monkeypatch.setattr(check, "measure", lambda method: {**MEASURED, "floor": 300.0})

    assert check.check(BUILD, "instructions") == 0
    printed = capsys.readouterr().out
    assert f"the reference of this build ({BUILD})\n" in printed
    assert "wire: 400 instructions per call, 1.000 of the reference" in printed


def test_an_unknown_build_is_compared_over_the_floor_and_told_how_to_record_itself(
    monkeypatch, capsys
):
    monkeypatch.setattr(check, "read_reference", lambda: {BUILD: {"instructions": REFERENCE}})
    monkeypatch.setattr(check, "measure", lambda m: {p: 2 * cost for p, cost in MEASURED.items()})

    assert check.check("3.13.9, GCC 14.0.0, PGO+LTO", "instructions") == 0
    printed = capsys.readouterr().out
    assert (
        f"no reference of this build (3.13.9, GCC 14.0.0, PGO+LTO): compared with {BUILD}"
        in printed
    )
    assert "check.py --update" in printed
    assert "wire: 800 instructions per call, 1.000 of the reference" in printed


def test_a_build_of_another_version_is_no_reference():
    with pytest.raises(check.CheckError, match=r"3\.1 "):
        check.choose({BUILD: {"instructions": REFERENCE}}, "3.1.0, GCC 4, plain", "instructions")


def test_the_build_names_version_and_compiler():
    assert check.build().startswith(sys.version.split()[0] + ", ")
    assert check.build().split(", ")[2] in {"plain", "PGO", "LTO", "PGO+LTO"}


def test_a_python_without_reference_is_an_error_and_not_a_pass(monkeypatch):
    monkeypatch.setattr(check, "read_reference", dict)

    with pytest.raises(check.CheckError, match=r"3\.99"):
        check.check("3.99.0, GCC 12.2.0, plain", "instructions")


def test_start_up_cancels_out():
    def count(path, calls):
        return 1e9 + 500.0 * calls

    assert check.instructions_per_call(count, ("floor",)) == {"floor": 500.0}


def test_a_path_that_the_reference_lacks_is_told_and_not_judged(monkeypatch, capsys):
    older = {path: cost for path, cost in REFERENCE.items() if path != "alone"}
    monkeypatch.setattr(check, "read_reference", lambda: {BUILD: {"instructions": older}})
    monkeypatch.setattr(check, "measure", lambda method: MEASURED)

    assert check.check(BUILD, "instructions") == 0
    assert "alone: 3000 instructions per call, which the reference lacks" in capsys.readouterr().out
