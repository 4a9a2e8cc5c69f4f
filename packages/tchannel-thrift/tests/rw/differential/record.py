"""Write down what thriftrw 1.9.0 does with each case: ``python record.py``, with it installed."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from conftest import CASES, HERE, verdict_of_thriftrw
from thriftrw.loader import Loader


def main() -> None:
    loader = Loader()  # one for all: it takes a third of a second to make
    verdicts = {}
    for case in CASES:
        with tempfile.TemporaryDirectory() as directory:
            verdicts[case.id] = verdict_of_thriftrw(loader, case.write(Path(directory)))
    (HERE / "thriftrw.json").write_text(json.dumps(verdicts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
