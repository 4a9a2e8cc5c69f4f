"""Worker processes: started pinned to a core, spoken to by lines of JSON, ended for certain."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class WorkerMissingError(Exception):
    """What the worker needs is not installed; the text is the worker's reason."""


class WorkerFailedError(Exception):
    """The worker ended, gave a wrong answer or kept silent too long."""


def cores_for(role: str) -> set[int]:
    """The cores of a role: with two or more cores the client has one of its own."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) == 1:
        return set(available)
    return {available[-1]} if role == "client" else {available[0]}


@contextmanager
def running_on(cores: set[int]) -> Iterator[None]:
    """Let processes started inside inherit these cores, all their threads included."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class WorkerProcess:
    """One worker.

    Args:
        command: the program and its arguments but the task.
        task: what the worker is to do; its "role" decides its core.
        patience: seconds to wait for an answer beyond what a command itself takes.

    """

    def __init__(
        self, command: list[str | Path], task: Mapping[str, Any], patience: float = 30.0
    ) -> None:
        self._patience = patience
        self._unread = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        # Random string hashes would give every start another layout of every dict.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "GRPC_VERBOSITY": "ERROR"}
        with running_on(cores_for(task["role"])):
            self._process = subprocess.Popen(
                [*command, json.dumps(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def expect(self, event: str, within: float | None = None) -> dict[str, Any]:
        """Wait for an event and return its fields.

        Raises:
            WorkerMissingError: the worker says that something is not installed.
            WorkerFailedError: it says that it failed, ended, or said something else.

        """
        line = self._read_line(time.monotonic() + (within or self._patience))
        message: dict[str, Any] = json.loads(line)
        got = message.pop("event")
        if got == "missing":
            raise WorkerMissingError(message["reason"])
        if got == "failed":
            raise WorkerFailedError(message["reason"])
        if got != event:
            raise WorkerFailedError(f"the worker said {got!r} where {event!r} was expected")
        return message

    def command(self, name: str, seconds: float = 0.0) -> dict[str, Any]:
        """Have the worker do something for `seconds`; returns the fields of its answer.

        Raises:
            WorkerMissingError, WorkerFailedError: as `expect` does.

        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(
                json.dumps({"cmd": name, "seconds": seconds}).encode() + b"\n"
            )
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: reading tells why
        return self.expect(name, within=seconds + self._patience)

    def _read_line(self, end: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            left = end - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise WorkerFailedError("no answer in time")
            data = os.read(descriptor, 65536)
            if not data:
                raise WorkerFailedError(self._last_words())
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "without a word"
        return f"the worker ended with status {self._process.returncode}: {said}"

    def close(self) -> None:
        """End the process: politely by the end of its stdin, then by a signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()
