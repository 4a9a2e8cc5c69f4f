"""What the READMEs show and what lies in examples/ runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]


def programs():
    """Every block of Python in a README that is a whole program."""
    for readme in READMES:
        for number, code in enumerate(
            re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
        ):
            if "asyncio.run(" in code:
                yield pytest.param(code, id=f"{readme.parent.name}-{number}")


def run(folder, *argv):
    return subprocess.run(
        [sys.executable, "-W", "error", *argv],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=folder,  # some write files beside them
    )


@pytest.mark.parametrize("code", list(programs()))
def test_a_program_of_a_readme_runs_without_a_warning(code, tmp_path):
    result = run(tmp_path, "-c", code)

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    "demo",
    sorted(ROOT.glob("examples/**/demo.py")),
    ids=lambda p: p.parent.relative_to(ROOT).as_posix(),
)
def test_a_demo_ends_well(demo, tmp_path):
    result = run(tmp_path, str(demo))

    assert result.returncode == 0, result.stderr
    assert " ms " in result.stdout
