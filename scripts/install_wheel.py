"""Install one of the distributions from its built wheel, as a user would, and prove it.

Usage: ``python scripts/install_wheel.py tchannel-core [extra…] [tchannel-testing]``, with the Python to
install into. Further distributions are tools of its tests.
The wheels are those in ``dist/`` (``make dist``); siblings come from there too, and all else from
wherever pip is configured to look. Exit code 1 when the installation is not consistent, or when
Python would import the distribution from somewhere else, such as the source tree.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
IMPORTS = {
    "tchannel-wire": "tchannel_wire",
    "tchannel-core": "tchannel",
    "tchannel-thrift": "tchannel_thrift",
    "tchannel-hyperbahn": "tchannel_hyperbahn",
    "tchannel-testing": "tchannel_testing",
    "tchannel-tools": "tchannel_tools",
    "tchannel-yarpc": "tchannel_yarpc",
    "tchannel-observe": "tchannel_observe",
    "tchannel-speedups": "tchannel_speedups",
}


def wheel_of(name: str) -> Path:
    """The one wheel of a distribution in dist/."""
    wheels = sorted(DIST.glob(f"{name.replace('-', '_')}-*.whl"))
    if len(wheels) > 1:  # compiled, one for each Python
        tag = "cp{}{}".format(*sys.version_info)
        wheels = [wheel for wheel in wheels if f"-{tag}-{tag}-" in wheel.name]
    if len(wheels) != 1:
        sys.exit(f"there must be one wheel of {name} in {DIST}, not {len(wheels)}: make dist")
    return wheels[0]


def pip(*arguments: str) -> None:
    """Run this Python's pip; leave with its exit code when it fails."""
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    code = subprocess.run(argv, check=False).returncode
    if code:
        sys.exit(code)


def install(name: str, extras: list[str], tools: list[str]) -> None:
    """Replace whatever is installed of the distributions by the wheels and what they need."""
    pip("uninstall", "--quiet", "--yes", *IMPORTS)
    # The constraints keep pip from taking a sibling of the same version from anywhere else.
    lines = [f"{sibling} @ {wheel_of(sibling).as_uri()}" for sibling in IMPORTS]
    requirement = f"{name}[{','.join(extras)}]" if extras else name
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(lines) + "\n")
        pip("install", "--quiet", "--constraint", str(constraints), requirement, *tools)
    pip("check")


def verify(name: str) -> None:
    """Fail unless the distribution, and only what it needs of its siblings, is what Python imports."""
    installed = [sibling for sibling in IMPORTS if is_installed(sibling)]
    spec = importlib.util.find_spec(IMPORTS[name])
    origin = Path(spec.origin) if spec is not None and spec.origin is not None else Path()
    if Path(sysconfig.get_path("purelib")) not in origin.parents:
        sys.exit(f"{IMPORTS[name]} would be imported from {origin}, not from the wheel")
    for sibling, package in IMPORTS.items():
        if sibling not in installed and importlib.util.find_spec(package) is not None:
            sys.exit(f"{package} can be imported though {sibling} is not installed")
    sys.stdout.write(f"{name} from its wheel; of its siblings there are: {', '.join(installed)}\n")


def is_installed(name: str) -> bool:
    """Whether a distribution is installed for this Python."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in IMPORTS:
        sys.exit(__doc__)
    rest = sys.argv[2:]
    install(
        sys.argv[1],
        extras=[word for word in rest if word not in IMPORTS],
        tools=[word for word in rest if word in IMPORTS],
    )
    verify(sys.argv[1])
