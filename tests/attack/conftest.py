"""Hostile peers and overload against a service in a process of its own: ``make attack``.

All tests of this folder carry the marker ``attack``, and no other target runs them. Those that also
carry ``counted`` assert nothing that a busy machine could change: ``make attack-short``.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MIB = 1024 * 1024


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "counted: asserts counts and bytes alone, no times")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.attack)


def start(script: str, *arguments: object, **pipes: object) -> subprocess.Popen[str]:
    """Start a script of this folder in a process of its own."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, **pipes)  # type: ignore[call-overload]
    _started.append(process)
    return process  # type: ignore[no-any-return]


_started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """No process outlives its test, however that ends."""
    yield
    for process in _started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    _started.clear()


@pytest.fixture
def start_script() -> Callable[..., subprocess.Popen[str]]:
    """A function that starts a script of this folder: ``start_script("load.py", port)``."""
    return start


class Victim:
    """A service in a process of its own."""

    def __init__(self, loop: str, log: Path, *arguments: object) -> None:
        self.log = log
        with log.open("w", encoding="utf-8") as errors:
            self.process = start("victim.py", loop, *arguments, stderr=errors)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.strip().isdigit(), log.read_text(encoding="utf-8")
        self.port = int(line)

    def memory(self, field: str) -> float:
        """A figure of /proc/PID/status in MiB: VmRSS now, VmHWM at its highest."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return (
            next(int(line.split()[1]) for line in text.splitlines() if line.startswith(field))
            / 1024
        )

    def forget_peak(self) -> None:
        """Let VmHWM begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="utf-8")


class Good:
    """The honest caller beside an attack."""

    def __init__(self, port: int, *arguments: object) -> None:
        self._process = start("good.py", port, *arguments, stdin=subprocess.PIPE)

    def phase(self, name: str, seconds: float) -> None:
        """Begin a phase, and let it last."""
        assert self._process.stdin is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        time.sleep(seconds)

    def end(self) -> dict[str, tuple[list[float], list[str]]]:
        """The latencies of each phase, sorted, and what went wrong in it."""
        output, _ = self._process.communicate(timeout=60)
        return {
            name: (sorted(taken), failed) for name, (taken, failed) in json.loads(output).items()
        }


class Outcome:
    """What an attack did.

    Attributes:
        grown: MiB that the service's resident memory grew at most.
        left: MiB that it still had more a second after the attack.
        logged: Bytes of its log.
        note: What the hostile peer says of itself.

    """

    def __init__(
        self,
        grown: float,
        left: float,
        logged: int,
        note: str,
        phases: dict[str, tuple[list[float], list[str]]],
    ) -> None:
        self.grown, self.left, self.logged, self.note = grown, left, logged, note
        self._phases = phases

    def p99(self, phase: str) -> float:
        """Seconds within which 99 of 100 calls of the honest caller were answered."""
        taken = self._phases[phase][0]
        return taken[int(len(taken) * 0.99)]

    def failed(self, phase: str) -> list[str]:
        """What went wrong for the honest caller."""
        return self._phases[phase][1]

    def __str__(self) -> str:
        latencies = ", ".join(
            f"{name}: p50 {taken[len(taken) // 2] * 1000:.2f} p99 {self.p99(name) * 1000:.1f} ms"
            + (f" FAILED {failed[:2]}" if failed else "")
            for name, (taken, failed) in self._phases.items()
            if name in {"alone", "attack", "after"}
        )
        return f"+{self.grown:.0f} MiB, log {self.logged:,} B; {latencies}; {self.note}"


Attack = Callable[..., Outcome]


@pytest.fixture
def victim(tmp_path: Path) -> Callable[..., Victim]:
    """A function that starts the service on a loop: ``victim("uvloop")``, or with a certificate's file."""

    def make(loop: str, *certificate: Path) -> Victim:
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        return Victim(loop, tmp_path / "log", *certificate)

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate signed by itself, with its key: RSA, which costs the service most."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "victim")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "victim.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def attack(victim: Callable[..., Victim]) -> Attack:
    """A function that lets a hostile peer loose: ``attack("pings", "asyncio", seconds=4)``."""

    def run(
        name: str, loop: str, seconds: float, alone: float = 2.0, tls: Path | None = None
    ) -> Outcome:
        service = victim(loop, *([tls] if tls else []))
        good = Good(service.port, *(["tls"] if tls else []))
        good.phase("warm", 0.5)
        good.phase("alone", alone)
        before = service.memory("VmRSS")
        service.forget_peak()
        hostile = start("hostile.py", name, service.port, seconds)
        good.phase("attack", seconds)
        note, _ = hostile.communicate(timeout=60)
        good.phase("after", 1)
        assert hostile.returncode == 0
        outcome = Outcome(
            service.memory("VmHWM") - before,
            service.memory("VmRSS") - before,
            os.path.getsize(service.log),
            note.strip(),
            good.end(),
        )
        print(f"\n{name} on {loop}: {outcome}", file=sys.__stdout__, flush=True)
        return outcome

    return run
