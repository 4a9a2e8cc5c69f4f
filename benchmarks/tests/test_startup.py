"""What an import costs is measured with byte code in place."""

import sys
from pathlib import Path

from harness import startup
from harness.interpreters import Interpreter

PROGRAM = "import os, subject; print(float(os.path.exists(subject.__spec__.cached)))"


def test_byte_code_is_in_place_though_the_user_forbids_to_write_it(monkeypatch, tmp_path):
    (tmp_path / "subject.py").write_text("answer = 42\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(startup, "CASES", (("subject", "nothing", PROGRAM),))

    (result,) = startup.measure_startup([Interpreter("here", Path(sys.executable))], runs=2)

    assert (result.status, result.seconds) == ("ok", [1.0, 1.0])
    assert [path.name for path in tmp_path.iterdir()] == ["subject.py"]


def test_failed_import_is_told_with_its_reason(monkeypatch):
    monkeypatch.setattr(startup, "CASES", (("gone", "nothing", "import no_such_module"),))

    (result,) = startup.measure_startup([Interpreter("here", Path(sys.executable))], runs=1)

    assert result.status == "missing"
    assert "no_such_module" in result.reason
