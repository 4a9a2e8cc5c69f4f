from __future__ import annotations

import json
import subprocess

import check
import native
import pytest

NATIVE = {"wire": "native", "core": "not imported"}
PURE = {"wire": "TCHANNEL_PURE is set", "core": "not imported"}


def said(parts):
    """A process that has ended, and said that of its parts."""
    return subprocess.CompletedProcess([], 0, stdout=f"0.1\n{json.dumps(parts)}\n")


@pytest.mark.parametrize(
    ("parts", "pure", "reason"),
    [
        ({}, False, "tchannel-speedups is not installed"),
        ({}, True, "tchannel-speedups is not installed"),
        (PURE, False, "^nothing is native.*TCHANNEL_PURE is set"),
        (NATIVE, True, "something is native that was to run in Python"),
    ],
)
def test_a_process_that_ran_otherwise_than_it_was_to_is_not_counted(parts, pure, reason):
    with pytest.raises(check.CheckError, match=reason):
        native.parts_of(said(parts), pure=pure)


def test_what_was_native_in_the_process_is_taken_from_it():
    assert native.parts_of(said(NATIVE), pure=False) == NATIVE
    assert native.parts_of(said(PURE), pure=True) == PURE


@pytest.mark.parametrize(
    ("module", "parts"),
    [
        ("raise ImportError('not built')", {}),
        ("def active(): return {'wire': 'n'}\ndef offer(*_, **__): pass", {"wire": "n"}),
    ],
)
def test_the_program_says_at_its_end_what_was_native_in_it(monkeypatch, tmp_path, module, parts):
    (tmp_path / "tchannel_speedups.py").write_text(module, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    done = check.run([], "wire", 32, pure=False, say_native=True)

    assert json.loads(done.stdout.splitlines()[-1]) == parts


def test_each_process_of_both_sides_is_asked(monkeypatch):
    asked = []

    def count(path, calls, *, pure, say_native):
        asked.append((path, calls, pure, say_native))
        return 10.0 * calls, said(PURE if pure else NATIVE)

    monkeypatch.setattr(check, "run", lambda *args, **named: None)
    monkeypatch.setattr(check, "count_run_with_valgrind", count)

    assert native.instructions("wire", pure=True) == (10.0, PURE)
    assert native.instructions("wire", pure=False) == (10.0, NATIVE)
    assert asked == [
        ("wire", calls, pure, True) for pure in (True, False) for calls in (check.FEW, check.MANY)
    ]


def test_where_nothing_is_native_nothing_is_compared(monkeypatch, capsys):
    def refuse(path, *, pure):
        raise check.CheckError("nothing is native: wire pure")

    monkeypatch.setattr(native, "instructions", refuse)

    assert native.main([]) == 2
    assert "wire pure" in capsys.readouterr().err


def test_each_path_is_told_with_its_bar_and_what_was_native(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(
        native,
        "instructions",
        lambda path, pure: (1000.0, PURE) if pure else (410.0, NATIVE),
    )

    assert native.main(["--json", str(tmp_path / "run.json")]) == 0
    printed = capsys.readouterr().out
    assert "wire native" in printed
    assert "channel: 410 instructions of 1,000, 0.41; bar 0.4: MISSED" in printed
    written = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert written["instructions"]["wire"] == {"pure": 1000.0, "native": 410.0}
    assert written["active"]["channel"] == NATIVE
