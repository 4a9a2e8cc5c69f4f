from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from tchannel_hyperbahn.__main__ import main


def run(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tchannel_hyperbahn", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_router_says_where_it_listens_and_ends_on_a_signal(number):
    with run("router", "--port", "0") as process:
        try:
            hostport = process.stdout.readline().removeprefix("listening on ").strip()
            host, port = hostport.split(":")
            socket.create_connection((host, int(port))).close()
            process.send_signal(number)
            _, log = process.communicate(timeout=60)
        finally:
            process.kill()

    assert host == "127.0.0.1"
    assert process.returncode == 0
    assert "production runs Hyperbahn" in log
    assert "Traceback" not in log


def test_its_help_says_that_production_runs_hyperbahn(capsys):
    with pytest.raises(SystemExit) as end:
        main(["router", "--help"])

    assert end.value.code == 0
    assert "production runs Hyperbahn" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--host", "example.com"], "IPv4"),
        (["--forget-after", "0"], "forget_after must be above 0"),
    ],
)
def test_a_mistake_is_one_line(capsys, arguments, complaint):
    assert main(["router", "--port", "0", *arguments]) == 1

    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error


def test_a_port_that_is_taken_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        assert main(["router", "--port", port]) == 1

    assert "in use" in capsys.readouterr().err.lower()
