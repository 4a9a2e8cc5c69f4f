"""Print the oldest versions that the metadata of the distributions admits, as constraints for pip.

Usage: ``python scripts/oldest.py > build/oldest.txt``

One line for each dependency of other projects, extras included: what `make test-oldest` runs with.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print them, sorted."""
    oldest: dict[str, str] = {}
    for path in sorted(ROOT.glob("packages/*/pyproject.toml")):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        for line in [*project.get("dependencies", []), *(one for some in extras for one in some)]:
            found = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*[>=]=\s*([\w.]+)", line)
            if found is None:
                raise SystemExit(f"{path}: {line} has no lower bound")
            name, version = found.groups()
            if "==" in line:
                continue  # one version, which is tested everywhere
            if not name.startswith("tchannel-"):
                oldest[name] = version
    for name, version in sorted(oldest.items()):
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
