"""Say how completely packages are typed for their users, and fail where one is below the bound.

What `pyright --verifytypes` counts: of all that a package shows, the part whose type is known without
inference. Below the bound, what is missing is listed.

    python scripts/verify_types.py 98 tchannel_wire tchannel
"""

import json
import os
import subprocess
import sys
from pathlib import Path

_MOST_LISTED = 40


def report_of(package: str) -> dict[str, object]:
    """What pyright says of a package that is installed beside this interpreter."""
    # pyright finds what it verifies by the python on the PATH only.
    here = os.path.dirname(sys.executable)
    done = subprocess.run(
        [Path(here, "pyright"), "--outputjson", "--ignoreexternal", "--verifytypes", package],
        env={**os.environ, "PATH": os.pathsep.join([here, os.environ.get("PATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, object] = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        sys.exit(f"{package}: pyright could not verify it\n{done.stdout}{done.stderr}")
    return report


def problems(report: dict[str, object]) -> list[str]:
    """What lacks a type, each with its name; first what is the reason that others lack it, too."""
    symbols = report["symbols"]
    assert isinstance(symbols, list)
    found = [
        f"  {symbol['name']}: {' '.join(problem['message'].split())}"
        for symbol in symbols
        if not symbol["isTypeKnown"]
        for problem in symbol["diagnostics"]
        if problem["severity"] == "error"
    ]
    return sorted(found, key=lambda problem: "partially unknown" in problem)


def main(bound: float, packages: list[str]) -> int:
    """Print the score of each package; returns the exit status."""
    status = 0
    for package in packages:
        report = report_of(package)
        score = report["completenessScore"]
        assert isinstance(score, float | int)
        counts = report["exportedSymbolCounts"]
        assert isinstance(counts, dict)
        # A package that shows nothing has a score of 0.
        percent = round(100 * score, 1) if any(counts.values()) else 100.0
        print(f"{package}: {percent:g} % of its types are known")
        if percent < bound:
            print(f"  which is less than {bound:g} %", *problems(report)[:_MOST_LISTED], sep="\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
