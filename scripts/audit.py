"""Look for known vulnerabilities of what is installed in an environment, by pip-audit.

Usage: ``python scripts/audit.py build/audit``

pip-audit ends well when it could ask nobody about a package, and its last words are then that no
vulnerability is known. Here that is a failure: exit code 1 where a vulnerability is known, 2 where a
package of somebody else could not be looked up. Our own distributions need not be there.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = {path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")}


def ask(folder: Path) -> list[dict[str, object]]:
    """Return what pip-audit says of each package in a virtual environment."""
    (packages,) = folder.glob("lib/python3*/site-packages")
    command = [sys.executable, "-m", "pip_audit", "--path", str(packages), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, object]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError):
        print(done.stderr[-2000:], file=sys.stderr)
        print("audit: NOT DONE: pip-audit could not ask its database", file=sys.stderr)
        sys.exit(2)
    return found


def tell(found: list[dict[str, object]]) -> int:
    """Print what is known, and what could not be known; return the exit code."""
    others = [one for one in found if one["name"] not in OURS]
    unknown = [one for one in others if "skip_reason" in one]
    bad = 0
    for one in others:
        vulnerabilities = one.get("vulns", [])
        assert isinstance(vulnerabilities, list)
        for each in vulnerabilities:
            mended = ", ".join(each["fix_versions"]) or "no version"
            print(f"{one['name']} {one['version']}: {each['id']}, mended in {mended}")
            bad += 1
    for one in unknown:
        print(f"{one['name']}: {one['skip_reason']}")
    print(
        f"audit: {len(others) - len(unknown)} of {len(others)} packages looked up, {bad} findings"
    )
    if unknown:
        print(
            f"audit: NOT DONE for {len(unknown)} packages: the database has not answered for them; "
            "nothing is known of them, good or bad",
            file=sys.stderr,
        )
    return 1 if bad else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(tell(ask(Path(sys.argv[1]))))
