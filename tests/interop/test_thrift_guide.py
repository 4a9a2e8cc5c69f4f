"""The guide's service, called as the guide calls it: by tcurl, and by its own clients."""

import json
import subprocess
import sys

import pytest
from thirdparty.install import TCURL
from thirdparty.process import run_command


@pytest.fixture(scope="module")
def guide(root):
    return root / "examples" / "guide" / "keyvalue"


@pytest.fixture(scope="module", params=["server.py", "loading_server.py"])
def hostport(request, guide):
    """The address of one of the guide's servers."""
    server = subprocess.Popen(
        [sys.executable, guide / "keyvalue" / request.param], stdout=subprocess.PIPE, text=True
    )
    try:
        line = server.stdout.readline()
        assert line.startswith("Listening on ")
        yield line.removeprefix("Listening on ").strip()
    finally:
        server.terminate()
        server.communicate(timeout=30)


def test_tcurl_sets_gets_and_misses_values(guide, hostport):
    def curl(function, body):
        # The guide's IDL does not say what is required, which tcurl accepts only when told to.
        argv = ["node", TCURL, "-p", hostport, "keyvalue-server", f"KeyValue::{function}"]
        argv += ["-t", guide / "thrift" / "service.thrift", "--no-strict", "-3", body]
        done = run_command(argv, seconds=30.0)
        return done.returncode, json.loads(done.stdout)

    code, stored = curl("setValue", '{"key": "hello", "value": "world"}')
    assert (code, stored["ok"]) == (0, True)

    code, found = curl("getValue", '{"key": "hello"}')
    assert (code, found["body"]) == (0, "world")

    code, missing = curl("getValue", '{"key": "hi"}')
    assert (code, missing["ok"], missing["body"]["key"]) == (126, False, "hi")


@pytest.mark.parametrize("script", ["client.py", "loading_client.py"])
def test_the_guides_clients_print_what_they_stored(guide, hostport, script):
    done = subprocess.run(
        [sys.executable, guide / "keyvalue" / script, hostport],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "Response(body='Hello, world!', headers={}, status=0)\n"
    assert done.stderr == ""
