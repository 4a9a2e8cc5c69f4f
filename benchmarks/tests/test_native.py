from __future__ import annotations

import json

import check
import native
import pytest


@pytest.mark.parametrize(
    ("speedups", "reason"),
    [
        ("raise ImportError('not built')", "not built"),
        (
            "def active(): return {'wire': 'switched off'}\ndef offer(*_, **__): pass",
            "switched off",
        ),
    ],
)
def test_python_is_not_compared_with_itself(monkeypatch, tmp_path, speedups, reason):
    (tmp_path / "tchannel_speedups.py").write_text(speedups, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(check.CheckError, match=f"nothing is native.*{reason}"):
        native.active()


def test_where_nothing_is_native_nothing_is_counted(monkeypatch, capsys):
    def refuse():
        raise check.CheckError("nothing is native: wire pure")

    monkeypatch.setattr(native, "active", refuse)
    monkeypatch.setattr(native, "instructions", lambda path, pure: pytest.fail(path))

    assert native.main([]) == 2
    assert "wire pure" in capsys.readouterr().err


def test_each_path_is_told_with_its_bar_and_what_was_native(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(native, "active", lambda: {"wire": "native"})
    monkeypatch.setattr(native, "instructions", lambda path, pure: 1000.0 if pure else 410.0)

    assert native.main(["--json", str(tmp_path / "run.json")]) == 0
    printed = capsys.readouterr().out
    assert "wire native" in printed
    assert "channel: 410 instructions of 1,000, 0.41; bar 0.4: MISSED" in printed
    written = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert written["instructions"]["wire"] == {"pure": 1000.0, "native": 410.0}
