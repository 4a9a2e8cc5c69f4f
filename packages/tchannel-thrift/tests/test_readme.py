"""The example of the README does what it says."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_first_example_prints_what_was_stored(tmp_path):
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[1]

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stderr == ""
    assert done.stdout == "Hello, world!\nno value under bar\n"
