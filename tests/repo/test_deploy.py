"""The service of examples/deploy, run as systemd, Kubernetes and a shell run it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import pytest
import yaml

from tchannel import TChannel

# What systemd does before it starts a service: the socket becomes descriptor 3, and the process is named.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-W", "error", sys.argv[2]])
"""


@pytest.fixture
def folder(root):
    return root / "examples" / "deploy"


@pytest.fixture
def start(folder):
    """A function that starts the service with an environment; what it started ends with the test."""
    started = []

    def start_one(*argv, **environment):
        process = subprocess.Popen(
            [sys.executable, *(argv or ["-W", "error", folder / "service.py"])],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
            close_fds=False,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def supervisor(tmp_path):
    """The socket to which a service says how it is, as systemd has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(30)
        yield notified


@pytest.fixture
def listening():
    """A socket that is open whether the service runs or not."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.set_inheritable(True)
        yield sock


def end(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=30)


def test_under_systemd_it_says_that_it_is_ready_drains_and_loses_no_caller_while_it_restarts(
    start, supervisor, listening, folder
):
    def activated():
        return start(
            "-c",
            HAND_OVER,
            str(listening.fileno()),
            str(folder / "service.py"),
            NOTIFY_SOCKET=supervisor.getsockname(),
        )

    async def call_while_it_is_away():
        host, port = listening.getsockname()
        address = f"{host}:{port}"
        async with TChannel("client") as client:
            await client.json("keyvalue", "set", {"key": "a", "value": 1}, hostport=address)
            assert await asyncio.to_thread(end, first) == 0
            assert supervisor.recv(100) == b"STOPPING=1"
            early = asyncio.ensure_future(
                client.json("keyvalue", "get", {"key": "a"}, hostport=address, timeout=30)
            )
            await asyncio.sleep(0)
            second = activated()
            assert (await early).body == {"value": None}
            assert supervisor.recv(100) == b"READY=1"
            return second

    first = activated()
    assert supervisor.recv(100) == b"READY=1"
    second = asyncio.run(call_while_it_is_away())
    assert end(second) == 0


def test_several_processes_share_the_port_and_end_together(start):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = start(LISTEN=f"127.0.0.1:{port}", WORKERS="2")
    ready = (line for line in iter(process.stdout.readline, "") if line.endswith(" is ready\n"))

    assert next(ready) != next(ready)
    with socket.socket() as third, pytest.raises(OSError):  # without sharing it is taken
        third.bind(("127.0.0.1", port))
    assert end(process) == 0
    assert process.stdout.read().count("has answered all") == 2


def test_kubernetes_waits_longer_than_the_service_drains(folder):
    manifests = {
        one["kind"]: one for one in yaml.safe_load_all((folder / "kubernetes.yaml").read_text())
    }
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (_, pause) = container["lifecycle"]["preStop"]["exec"]["command"]
    grace = {}
    exec((folder / "service.py").read_text().split("def handed_over")[0], grace)

    assert pod["terminationGracePeriodSeconds"] > float(pause) + grace["GRACE"]
    assert manifests["Service"]["spec"]["clusterIP"] == "None"
    assert (
        manifests["Service"]["spec"]["ports"][0]["port"]
        == container["ports"][0]["containerPort"]
        == int(container["env"][0]["value"].rpartition(":")[2])
    )


def test_systemd_waits_longer_than_the_service_drains(folder):
    unit = (folder / "keyvalue.service").read_text()
    grace = {}
    exec((folder / "service.py").read_text().split("def handed_over")[0], grace)

    assert float(unit.partition("TimeoutStopSec=")[2].split()[0]) > grace["GRACE"]
    assert "Type=notify" in unit
