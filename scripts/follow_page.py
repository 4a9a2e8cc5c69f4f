"""Follow a page of the documentation to the letter, as a newcomer does.

Usage: ``python scripts/follow_page.py docs/tutorial.md FOLDER [OLD=NEW ...]``

A block whose first line is a comment with a file's name is written into FOLDER. In a block of
``console`` each line that begins with ``$`` is a command for bash; the lines below are what it must
print, where ``...`` stands for anything. Under ``<!-- stays -->`` the command goes on while the next
ones run. OLD=NEW replaces texts of the page, for ports that are in use. Lines that make or activate an
environment and those that install are left out where FOLLOW_INSTALLED is set: the current environment
has it all then.

Exit code 1, and what was printed instead, at the first command that prints something else.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_BLOCK = re.compile(
    r"^(?P<stays><!-- stays -->\n\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(r"(?:#|//) ([\w.-]+\.\w+)\n")
_INSTALLS = re.compile(r"pip install |python3 -m venv |\. env/bin/activate")
_SECONDS = 120.0


class Stumbled(Exception):
    """A command did not print what the page says."""


def commands(text: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with what it must print."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def pattern(expected: str) -> re.Pattern[str]:
    """Return what matches the output: a line of dots stands for any lines, dots in one for any text."""
    lines = []
    for line in expected.splitlines():
        text = re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        lines.append(r"(?:.*\n)*?" if line == "..." else text)
    return re.compile("".join(lines))


class Follower:
    """A shell in a folder, and the programs that still run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.path = os.environ["PATH"]

    def run(self, command: str, expected: str, *, stays: bool) -> None:
        """Run a command, and wait for what it must print, unless it stays also for its end."""
        # A virtual environment of the folder is the only thing that a command leaves to the next ones.
        environment = {**os.environ, "PATH": self.path, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.running.append(process)
            wanted, until = pattern(expected), time.monotonic() + _SECONDS
            while True:
                ended = process.poll() is not None
                # Not by the file's own position, which is the process's too.
                printed = os.pread(output.fileno(), 1 << 20, 0).decode()
                # The tables of the tools fill their last column up.
                printed = re.sub(r" +$", "", printed, flags=re.MULTILINE)
                if (ended or stays) and wanted.match(printed):
                    break
                if ended or time.monotonic() > until:
                    raise Stumbled(f"$ {command}\n{printed}\ninstead of\n{expected}")
                time.sleep(0.02)
            if stays and process.poll() is not None:
                raise Stumbled(f"$ {command}\n{printed}\nends, but should stay")
        if command == ". env/bin/activate":
            self.path = f"{self.folder / 'env' / 'bin'}:{self.path}"

    def end(self) -> None:
        """End what stays, as Ctrl-C does; it must end well."""
        for process in reversed(self.running):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
                if code := process.wait(30):
                    raise Stumbled(f"{process.args!r} ended with {code} on Ctrl-C")

    def kill(self) -> None:
        """Leave nothing behind."""
        for process in self.running:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def follow(page: Path, folder: Path, replaced: dict[str, str]) -> int:
    """Follow the page in a folder; return how many files and commands it had."""
    text = page.read_text(encoding="utf-8")
    for old, new in replaced.items():
        text = text.replace(old, new)
    installed, done = "FOLLOW_INSTALLED" in os.environ, 0
    follower = Follower(folder)
    try:
        for block in _BLOCK.finditer(text):
            if block["language"] == "console":
                for command, expected in commands(block["text"]):
                    if not (installed and _INSTALLS.match(command)):
                        follower.run(command, expected, stays=bool(block["stays"]))
                        done += 1
            elif named := _NAMED.match(block["text"]):
                (folder / named[1]).write_text(block["text"], encoding="utf-8")
                done += 1
        follower.end()
    finally:
        follower.kill()
    return done


if __name__ == "__main__":
    pairs = dict(pair.split("=", 1) for pair in sys.argv[3:])
    try:
        count = follow(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), pairs)
    except Stumbled as error:
        sys.exit(str(error))
    print(f"{sys.argv[1]}: {count} steps")
