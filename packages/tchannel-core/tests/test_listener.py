"""A channel that listens and that nobody closes; each in a process of its own."""

import subprocess
import sys

import pytest

LOSE = """
import asyncio, gc, os, socket, sys
from tchannel import TChannel

async def main():
    channel = TChannel("lost", hostport=sys.argv[1])
    channel.listen()
    return channel.hostport

hostport = asyncio.run(main())
"""

THEN_LOOK = """
for _ in range(3):  # PyPy ends one object with each
    gc.collect()
if hostport.startswith("unix:"):
    print("gone" if not os.path.exists(hostport[5:]) else "there")
else:
    host, port = hostport.split(":")
    with socket.socket() as probe:
        print("gone" if probe.connect_ex((host, int(port))) else "there")
"""


def run(script, hostport):
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", script, hostport],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize("where", ["127.0.0.1:0", "unix:{}/socket"])
def test_a_collected_channel_warns_once_by_name_and_leaves_no_socket(where, tmp_path):
    out, err = run(LOSE + THEN_LOOK, where.format(tmp_path))

    assert out == "gone"
    assert err.count("ResourceWarning") == 1
    assert "unclosed channel lost at " in err
    assert ":0: call" not in err


BEFORE_A_LOOP = """
import sys
from tchannel import TChannel

channel = TChannel("held", hostport=sys.argv[1])
channel.listen()
"""


# Without a collection in between, the end of the process is what ends the channel.
@pytest.mark.parametrize("script", ["import gc; gc.disable()" + LOSE, BEFORE_A_LOOP])
def test_a_process_that_ends_while_it_listens_says_nothing(script):
    assert run(script, "127.0.0.1:0") == ("", "")


def test_a_channel_that_was_closed_says_nothing_when_it_is_collected():
    script = LOSE.replace("    return", "    await channel.close()\n    return")

    assert run(script + THEN_LOOK, "127.0.0.1:0") == ("gone", "")
