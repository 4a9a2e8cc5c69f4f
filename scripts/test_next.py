"""Run the tests of wire, core and thrift on Pythons that few have yet, or that few think of.

Usage: ``python scripts/test_next.py build/pythons 3.11.2 3.14 3.15 pypy``

The folder is that of ``scripts/debian-pythons``; other versions, 3.12 say, are looked for as
``scripts/find-python`` does. Each Python gets an environment in ``build/next`` with our packages in
place. What has no wheel for it and cannot be built is left out, and named in the last lines; tests that
need exactly that are skipped. A test that is skipped for any other reason is a failure, and so is a
Python that takes longer than CAP seconds (420). As many run at the same time as JOBS says (2).
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import signal
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "next"
CAP = float(os.environ.get("CAP", "420"))

TESTED = ("tchannel-wire", "tchannel-core", "tchannel-thrift")
# The tests of tchannel-thrift use its recordings.
INSTALLED = (*TESTED, "tchannel-testing")
REQUIREMENTS = ("build.txt", "test.txt", "test-thrift.txt")
MARKERS = "not interop and not once"

# What a Python may lack: the module to look for, what is missing then, and the reasons of the tests that
# are skipped for it.
MAY_LACK = (
    ("google_crc32c._crc32c", "google-crc32c's C part", None),
    ("cryptography", "cryptography", "cryptography makes "),
    ("uvloop", "uvloop", "uvloop"),
    ("thrift", "thrift", "Apache's thrift is not installed"),
    ("thriftpy2", "thriftpy2", "thriftpy2 is not installed"),
    ("msgspec", "msgspec", "there may be no wheel of it for this Python"),
    ("orjson", "orjson", "there may be no wheel of it for this Python"),
)
# Reasons that lie in the Python itself, in the machine, or in what is proved on other Pythons.
ELSEWHERE = [
    "thriftrw",  # make test and make test-all on 3.11
    "eager tasks begin with 3.12",
    "uvloop itself refuses eager tasks",
    "PyPy ",  # what it does otherwise: docs/pythons.md
    "no IPv6 here",
    "tchannel-hyperbahn is not installed",
]
if shutil.which("thrift") is None:
    ELSEWHERE.append("Apache's compiler is not installed")


class Failed(Exception):
    """A Python could not be made ready, or its tests did not end well."""


@dataclass
class Run:
    """One Python: where it is, and what became of its tests."""

    name: str
    python: Path
    version: str = "?"
    passed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    seconds: float = 0.0
    outcome: str = "interrupted"

    @property
    def home(self) -> Path:
        """Its environment."""
        return PLACE / self.name

    @property
    def log(self) -> Path:
        """What its processes print."""
        return PLACE / f"{self.name}.log"

    async def make_and_test(self) -> None:
        """Make the environment, and run the tests in it."""
        self.log.write_text("")
        self.version = (await self.call(self.python, "-c", VERSION)).strip()
        await self.install()
        self.missing = (await self.call(self.bin, "-W", "ignore", "-c", LACKS)).splitlines()
        report = PLACE / f"{self.name}.xml"
        report.unlink(missing_ok=True)
        folders = [f"packages/{name}/tests" for name in TESTED]
        options = ["-q", "-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}"]
        try:
            await self.call(self.bin, "-m", "pytest", *options, "-m", MARKERS, *folders)
        finally:
            if report.exists():
                self.count(report)
        if unknown := sorted(reason for reason in self.skipped if not self.explains(reason)):
            raise Failed("skipped without need: " + "; ".join(unknown))

    @property
    def bin(self) -> Path:
        """The interpreter of its environment."""
        return self.home / "bin" / "python"

    async def install(self) -> None:
        """Make the environment, unless there is one for just this."""
        files = [ROOT / "requirements" / name for name in REQUIREMENTS]
        files += [ROOT / "packages" / name / "pyproject.toml" for name in INSTALLED]
        wanted = hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest() + self.version
        stamp = self.home / "made-of"
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        await self.call(self.python, "-m", "venv", "--clear", "--without-pip", self.home)
        (wheel,) = (PYTHONS / "sid/usr/share/python-wheels").glob("pip-*.whl")
        pip = [self.bin, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        await self.call(*pip, "pip", PYTHONPATH=str(wheel))
        lines = [line for file in files[: len(REQUIREMENTS)] for line in requirements(file)]
        # The headers of a Python that lies in a folder lie there too; the compiler is this machine's.
        headers = {"CPATH": str(self.python.parents[1] / "include")}
        try:
            await self.call(*pip, "--prefer-binary", *lines, **headers)
        except Failed:
            for line in lines:  # what cannot be had is found missing later
                with contextlib.suppress(Failed):
                    await self.call(*pip, "--prefer-binary", line, **headers)
        ours = [word for name in INSTALLED for word in ("--editable", f"packages/{name}")]
        await self.call(*pip, "--no-build-isolation", *ours, **headers)
        stamp.write_text(wanted)

    async def call(self, *command: object, **environment: str) -> str:
        """Run a process and what it starts to its end; what it printed on stdout.

        Raises:
            Failed: It ended with another exit code than 0.

        """
        with self.log.open("ab") as log:
            log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            process = await asyncio.create_subprocess_exec(
                *map(str, command),
                cwd=ROOT,
                # What must not be skipped elsewhere may be missing here, and is looked at below.
                env=os.environ | {"CI": ""} | environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # to end all of them at once
            )
            try:
                assert process.stdout is not None
                printed = b""
                while some := await process.stdout.read(65536):
                    log.write(some)
                    log.flush()
                    printed += some
                code = await process.wait()
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if code:
            raise Failed(f"exit code {code} of {Path(str(command[0])).name} {command[2]}")
        return printed.decode()

    def count(self, report: Path) -> None:
        """Read how the tests went."""
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
            outcomes = {child.tag: child for child in case}
            if "skipped" in outcomes:
                # Of a module that is skipped as a whole, the text alone has the reason.
                said = outcomes["skipped"]
                parts = (said.get("message", ""), said.text or "")
                whole = parts[0] == "collection skipped"
                reason = parts[1].rpartition("Skipped: ")[2].rstrip("')") if whole else parts[0]
                self.skipped[reason] += 1
            elif not outcomes.keys() & {"failure", "error"}:
                self.passed += 1

    def explains(self, reason: str) -> bool:
        """Whether a test may be skipped for that here."""
        known = [*ELSEWHERE, *(why for _, what, why in MAY_LACK if what in self.missing and why)]
        return any(part in reason for part in known)

    def __str__(self) -> str:
        counts = f"{self.passed:6} passed, {sum(self.skipped.values()):5} skipped"
        return f"{self.name:8}{self.version:17}{counts}, {self.seconds:4.0f} s: {self.outcome}"


VERSION = """
import platform
print(platform.python_implementation(), platform.python_version())
"""

LACKS = f"""
import importlib
for module, what, _ in {MAY_LACK!r}:
    try:
        importlib.import_module(module)
    except ImportError:
        print(what)
"""


def requirements(file: Path) -> list[str]:
    """The requirements in a file, one by one."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in file.read_text().splitlines())
    return [line for line in lines if line]


async def find(name: str) -> Path:
    """The interpreter of that name."""
    folders = {"3.14": "sid/usr/bin/python3.14", "3.15": "sid/usr/bin/python3.15"}
    folders["pypy"] = "sid/usr/bin/pypy3"
    if name in folders:
        return PYTHONS / folders[name]
    if name == "3.11.2":  # Debian 12's: this machine's own, or unpacked beside the others
        unpacked = PYTHONS / "bookworm/usr/bin/python3.11"
        return unpacked if unpacked.exists() else Path("/usr/bin/python3")
    process = await asyncio.create_subprocess_exec(
        ROOT / "scripts" / "find-python", name, stdout=asyncio.subprocess.PIPE
    )
    printed = (await process.communicate())[0].decode().strip()
    if not printed:
        sys.exit(1)  # find-python has said why
    return Path(printed)


async def take(run: Run, turns: asyncio.Semaphore) -> None:
    """Test one Python, when it is its turn, and print how it went."""
    async with turns:
        began = time.monotonic()
        try:
            async with asyncio.timeout(CAP):
                await run.make_and_test()
        except TimeoutError:
            run.outcome = f"FAILED: not done after {CAP:.0f} s"
        except Failed as error:
            run.outcome = f"FAILED: {error}"
        else:
            run.outcome = "ok"
        finally:
            run.seconds = time.monotonic() - began
    if run.outcome != "ok":
        sys.stdout.write(run.log.read_text(errors="replace"))
    sys.stdout.write(f"{run}\n")
    sys.stdout.flush()


def last_lines(runs: list[Run]) -> None:
    """Print what was tested, why tests were skipped, and what was missing."""
    lines = ["=== wire, core and thrift on other Pythons", *map(str, runs)]
    for run in runs:
        for reason, count in sorted(run.skipped.items()):
            lines.append(f"{run.name:8}{count:6} skipped: {reason}")
    lacking = [f"{run.name}: {', '.join(run.missing)}" for run in runs if run.missing]
    lines.append("missing: " + ("; ".join(lacking) or "nothing"))
    text = "\n".join(lines) + "\n"
    (PLACE / "last-lines").write_text(text)
    sys.stdout.write(f"\n{text}")


async def main(names: list[str]) -> int:
    """Test them all; the number of those that failed."""
    PLACE.mkdir(parents=True, exist_ok=True)
    runs = [Run(name, await find(name)) for name in names]
    # The exception that this raises ends every process that was started.
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    turns = asyncio.Semaphore(int(os.environ.get("JOBS", "2")))
    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(take(run, turns))
    finally:
        last_lines(runs)
    return sum(run.outcome != "ok" for run in runs)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PYTHONS = Path(sys.argv[1]).resolve()
    try:
        failed = asyncio.run(main(sys.argv[2:]))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
    sys.exit(bool(failed))
