"""Prove a wheel of tchannel-speedups where it is installed: it is used, and its tests pass.

Usage: ``python scripts/test_wheel.py packages/tchannel-speedups``, with the Python that has it.
cibuildwheel calls it for each wheel (see that folder's ``pyproject.toml``). A call over a socket is made
where tchannel-core is installed, too, and the tests of the folder run where pytest is.
Exit code 1, with the reason, when anything is not as it should be.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CALL = """
import asyncio
import tchannel_speedups
from tchannel import Request, Response, TChannel

async def main():
    async with TChannel("server", hostport="127.0.0.1:0") as server, TChannel("client") as client:
        @server.raw.register
        async def echo(request: Request) -> Response:
            return Response(request.body, request.headers)

        server.listen()
        for body in (b"", bytes(16), bytes(5_000), bytes(200_000)):
            answer = await client.raw("server", "echo", body, hostport=server.hostport)
            assert answer.body == body

asyncio.run(main())
print(tchannel_speedups.active()["wire"])
"""
ACTIVE = "import tchannel_wire, tchannel_speedups; print(tchannel_speedups.active()['wire'])"


def run(code: str, **environment: str) -> str:
    """What a fresh interpreter prints, away from the source tree; leave with what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"it failed where the wheel is installed:\n{done.stderr}")
    return done.stdout.strip()


def expect(what: str, said: str, wanted: str) -> None:
    """Leave unless both are the same."""
    if said != wanted:
        sys.exit(f"{what}: wire must be {wanted!r}, not {said!r}")
    sys.stdout.write(f"{what}: wire {said}\n")


def main(package: Path) -> None:
    """Import, switch off, call, and run the tests."""
    origin = run("import tchannel_speedups._native as native; print(native.__file__)")
    if ROOT in Path(origin).parents and ".venv" not in origin and "site-packages" not in origin:
        sys.exit(f"it would be imported from {origin}, not from a wheel")
    sys.stdout.write(f"{origin}\n")
    expect("imported", run(ACTIVE), "native")
    expect("TCHANNEL_PURE=1", run(ACTIVE, TCHANNEL_PURE="1"), "TCHANNEL_PURE is set")
    if importlib.util.find_spec("tchannel") is None:
        sys.stdout.write("tchannel-core is not installed: no call over a socket\n")
    else:
        expect("calls over a socket", run(CALL), "native")
    if importlib.util.find_spec("pytest") is None:
        sys.stdout.write("pytest is not installed: no tests\n")
        return
    options = ["-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    tests = [sys.executable, "-m", "pytest", *options, str(package / "tests")]
    done = subprocess.run(
        tests, cwd=ROOT, env={**os.environ, "TCHANNEL_REQUIRE_NATIVE": "1"}, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve())
