"""Cassettes travel between this library and tchannel-python 2.1.0, in both directions."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tchannel_thrift", reason="the conversation speaks Thrift, too")

pytestmark = pytest.mark.extra

HERE = Path(__file__).parent / "tchannel_python"
PEER = Path(__file__).parents[4] / "tests/interop/peers/py21/.venv/bin/python"
NEEDS = "import mock, tchannel, wrapt, yaml"


async def converse(python, cassette, mode, *options):
    """What the conversation prints, run by the library that ``python`` has."""
    # What our environment says about Python is for our own.
    flags = ["-E"] if python == PEER else []
    process = await asyncio.create_subprocess_exec(
        *[python, *flags, HERE / "conversation.py", cassette, mode, *options],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.fixture
def peer():
    """The interpreter that has tchannel-python 2.1.0 and what its VCR needs."""
    found = (
        PEER.exists()
        and not subprocess.run([PEER, "-c", NEEDS], capture_output=True, check=False).returncode
    )
    if not found:
        reason = f"tchannel-python with its extra 'vcr' is not installed for {PEER.parts[-4:]}"
        if os.environ.get("TCHANNEL_REQUIRE_PEERS", "") not in {"", "0"}:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return PEER


@pytest.fixture
async def expected(tmp_path):
    """What the conversation prints without any replaying."""
    return await converse(sys.executable, tmp_path / "fresh.yaml", "once", "thrift_as_bytes")


@pytest.mark.parametrize("version", [2, 3])
async def test_what_tchannel_python_recorded_replays_here(version, expected, tmp_path):
    # A copy, and no right to record: what is committed is what replays.
    path = tmp_path / "old.yaml"
    path.write_bytes((HERE / f"recorded_on_python{version}.yaml").read_bytes())

    assert await converse(sys.executable, path, "none") == expected


async def test_what_is_recorded_here_replays_here(expected, tmp_path):
    path = tmp_path / "fields.yaml"
    assert await converse(sys.executable, path, "once") == expected

    assert await converse(sys.executable, path, "none") == expected
    assert "AAE" not in path.read_text()  # the base64 of Thrift headers and bodies


@pytest.mark.interop
async def test_what_is_recorded_here_replays_in_tchannel_python(peer, expected, tmp_path):
    # Recorded by the fixture.
    assert await converse(peer, tmp_path / "fresh.yaml", "none") == expected


@pytest.mark.interop
async def test_a_fresh_recording_of_tchannel_python_replays_here(peer, expected, tmp_path):
    recorded = await converse(peer, tmp_path / "old.yaml", "once")

    assert recorded == expected
    assert await converse(sys.executable, tmp_path / "old.yaml", "none") == expected


@pytest.mark.interop
async def test_recorded_failures_do_not_disturb_tchannel_python(peer, expected, tmp_path):
    from tchannel_testing import vcr

    cassette = vcr.Cassette(tmp_path / "fresh.yaml", "new_episodes")  # what is bytes in it stays so
    cassette.record(vcr.Request("oldserver", "other"), vcr.Failure(3, "BusyError", "busy"))
    cassette.save()
    assert "failures:" in (tmp_path / "fresh.yaml").read_text()

    assert await converse(peer, tmp_path / "fresh.yaml", "none") == expected
