"""``python -m tchannel_testing``."""

import asyncio
import sys

import pytest

from tchannel_testing.__main__ import main


async def test_the_proxy_runs_from_a_shell_and_is_steered_by_lines(tcp):
    server = await tcp.serve(echo=True)
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tchannel_testing", "proxy", server.hostport, "split=1"],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )

    async def command(line):
        process.stdin.write(line + b"\n")
        return (await process.stdout.readline()).strip()

    started = (await process.stdout.readline()).decode().split()
    assert started[:2] == ["listening", "on"]
    client = await tcp.connect(started[2])
    client.write(b"through")
    assert await client.receive(7) == b"through"

    assert await command(b"refuse sometimes") == b"error: refuse takes on or off"
    assert await command(b"set black_hole=on") == b"ok"
    assert await command(b"status") == b"connections: 1 open, 1 accepted"
    assert await process.stdout.readline() == b"upstream: 7 bytes, 0 frames\n"
    assert await command(b"") == b"downstream: 7 bytes, 0 frames"
    assert await command(b"quit") == b""
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["proxy"], "required: UPSTREAM\n"),
        (["proxy", "127.0.0.1:1", "latenzy=1"], "no fault 'latenzy'; there are latency"),
        (["proxy", "nowhere"], "nowhere"),
        (["proxy", "127.0.0.1:1", "latency=-1"], "latency"),
        (["proxy", "127.0.0.1:1", "--listen", "192.0.2.1:0"], "192.0.2.1:0"),
        ([], "command"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_name_what_is_wrong(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)

    assert exit.value.code == 2
    assert message in capsys.readouterr().err
