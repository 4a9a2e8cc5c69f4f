"""The harness itself: no process is left behind, and every failure says what happened."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from thirdparty import install
from thirdparty.hyperbahn import free_ports
from thirdparty.peer import CallError, Peer, pattern
from thirdparty.process import PeerFailure, PeerProcess, run_command

HERE = Path(__file__).parent


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_stopped_peer_is_gone(start_peer, peer):
    one = start_peer(peer.kind)

    one.stop()

    assert not is_alive(one.process.pid)


def test_a_frozen_peer_can_be_stopped(start_peer):
    one = start_peer("node4")
    one.process.pause()

    one.stop()

    assert not is_alive(one.process.pid)


def test_a_frozen_peer_goes_on_when_it_is_resumed(start_peer, node4):
    one = start_peer("node4", "frozen")
    one.process.pause()
    with pytest.raises(CallError):
        node4.call(one.hostport, "frozen", "echo", timeout=0.3)

    one.process.resume()

    assert node4.call(one.hostport, "frozen", "echo").ok


def test_a_peer_does_not_survive_the_run_that_started_it(tmp_path, peer):
    script = (
        "import sys, time\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "from pathlib import Path\n"
        "from thirdparty.peer import Peer\n"
        f"peer = Peer({peer.kind!r}, 'orphan', Path({str(tmp_path / 'log')!r}))\n"
        "print(peer.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()

    assert wait_until(lambda: not is_alive(pid))


def test_a_peer_that_dies_fails_what_was_asked_of_it(start_peer):
    one = start_peer("node4")
    future = one.process.send("call", to=[])  # an incomplete command ends the process

    with pytest.raises(PeerFailure, match="node4 peer has ended"):
        future.result(10)
    with pytest.raises(PeerFailure, match="node4 peer has ended"):
        one.process.ask("seen")


def test_a_peer_that_does_not_start_shows_its_last_words(tmp_path):
    argv = [sys.executable, "-c", "raise SystemExit('no reason at all')"]
    process = PeerProcess("hopeless", argv, tmp_path / "log")

    with pytest.raises(PeerFailure, match="no reason at all"):
        process.wait_event("ready")
    process.stop()


def test_what_a_peer_fails_to_do_is_an_error(start_peer):
    one = start_peer("node4", "advertiser")
    closed = free_ports(1)[0]

    with pytest.raises(PeerFailure, match="advertise"):
        one.advertise([f"127.0.0.1:{closed}"])


def test_free_ports_are_free_and_different():
    ports = free_ports(20)

    assert len(set(ports)) == 20
    socket.create_server(("127.0.0.1", ports[0])).close()


def test_the_pattern_has_the_size_and_repeats_after_a_prime():
    assert pattern(0) == b""
    assert bytes(range(251)) + b"\0\1" == pattern(253)


def test_the_cluster_command_runs_until_it_is_told_to_stop():
    port = free_ports(1)[0]
    argv = [sys.executable, "-m", "thirdparty", "--nodes", "1", "--port", str(port)]
    with subprocess.Popen(argv, cwd=HERE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert f"Hyperbahn listens on 127.0.0.1:{port}\n" == line
    assert rest == "Ctrl-C ends it.\n"
    assert process.returncode == 0


def test_all_peers_come_from_the_lock_file_which_names_no_registry():
    lock = json.loads((install.NODE / "package-lock.json").read_text())
    resolved = {
        package["resolved"] for package in lock["packages"].values() if "resolved" in package
    }

    assert all(address.startswith("stubs/") for address in resolved)


def test_commands_of_tools_do_not_wait_for_input():
    done = run_command([sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"])

    assert done.stdout.strip() == "''"


def test_a_peer_knows_that_it_runs(node4: Peer):
    assert node4.process.running
    assert is_alive(node4.process.pid)
    assert os.getpid() != node4.process.pid
