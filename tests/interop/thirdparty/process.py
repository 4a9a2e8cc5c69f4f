"""A peer's process: started, spoken to in JSON lines, and certainly ended."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
STOP_SECONDS = 3.0


class PeerFailure(Exception):
    """A peer's process ended, did not start in time, or could not do what it was told."""


class PeerProcess:
    """One child process that reads commands and writes answers and events, all as JSON lines.

    The child ends by itself when its standard input closes, so it cannot outlive this process even
    when that is killed. What it writes to standard error goes to the file ``log``.
    """

    def __init__(self, name: str, argv: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.log = log
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._events: dict[str, Future[dict[str, Any]]] = {}
        self._number = 0
        self._ended = False
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=log.parent,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "NODE_NO_WARNINGS": "1"},
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, name=f"reader of {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """Wait for the child to end by itself; its exit code, negative for a signal."""
        return self._process.wait(seconds)

    def tail(self, lines: int = 40) -> str:
        """The last lines that the child wrote to standard error."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_event(self, event: str, seconds: float = START_SECONDS) -> dict[str, Any]:
        """Wait for the line ``{"event": event, …}``; PeerFailure if it does not come."""
        with self._lock:
            future = self._event(event)
        return self._result(future, seconds, f"the event {event!r}")

    def send(self, op: str, **arguments: Any) -> "Future[dict[str, Any]]":
        """Send one command; the future gets its answer, or PeerFailure."""
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            self._number += 1
            number = self._number
            if self._ended:
                future.set_exception(self._gone())
                return future
            self._waiting[number] = future
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps({"id": number, "op": op, **arguments}).encode() + b"\n")
            stdin.flush()
        except OSError:
            self._fail_all()
        return future

    def ask(self, op: str, seconds: float = 30.0, **arguments: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        return self._result(self.send(op, **arguments), seconds, f"an answer to {op!r}")

    def pause(self) -> None:
        """Freeze the child (SIGSTOP): it neither reads nor writes, its sockets stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen child go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the child at once (SIGKILL to its process group) and clean up after it."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        self._clean_up()

    def stop(self) -> None:
        """End the child by closing its standard input, by force when it does not listen."""
        if self.running:
            stdin = self._process.stdin
            assert stdin is not None
            try:
                stdin.close()
                self.resume()
                self._process.wait(STOP_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                pass
        self.kill()

    def _clean_up(self) -> None:
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # the unwritten rest of a command for a child that is gone
                pass

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            if not self._take(line):
                with self.log.open("ab") as log:
                    log.write(line)
        self._fail_all()

    def _take(self, line: bytes) -> bool:
        """Resolve what a line answers; false when it is a mere log line (Hyperbahn's are JSON too)."""
        try:
            message = json.loads(line)
        except ValueError:
            return False
        with self._lock:
            if "event" in message:
                future = self._event(message["event"])
            elif message.get("id") in self._waiting:
                future = self._waiting.pop(message["id"])
            else:
                return False
        if future.done():
            return True
        if "failure" in message:
            future.set_exception(PeerFailure(f"{self.name}: {message['failure']}"))
        else:
            future.set_result(message)
        return True

    def _event(self, event: str) -> "Future[dict[str, Any]]":
        return self._events.setdefault(event, Future())

    def _fail_all(self) -> None:
        with self._lock:
            self._ended = True
            futures = [*self._waiting.values(), *self._events.values()]
            self._waiting.clear()
        for future in futures:
            if not future.done():
                future.set_exception(self._gone())

    def _gone(self) -> PeerFailure:
        return PeerFailure(f"{self.name} has ended; its last words:\n{self.tail()}")

    def _result(
        self, future: "Future[dict[str, Any]]", seconds: float, what: str
    ) -> dict[str, Any]:
        try:
            return future.result(seconds)
        except TimeoutError:
            raise PeerFailure(
                f"{self.name} gave no sign of {what} within {seconds:g} s; its log:\n{self.tail()}"
            ) from None


def run_command(
    argv: Sequence[str | Path], *, seconds: float = 30.0, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a short-lived tool to its end; it has no standard input."""
    return subprocess.run(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "NODE_NO_WARNINGS": "1", **(env or {})},
    )
