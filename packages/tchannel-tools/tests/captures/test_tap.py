"""``tchannel tap``: what passes is relayed as it is, shown and saved."""

import asyncio
import json

import pytest

from tchannel import TChannel, errors
from tchannel_tools._captures.filters import Filter
from tchannel_tools._captures.saving import Saving
from tchannel_tools.decode.bodies import Bodies
from tchannel_tools.decode.printing import Printer
from tchannel_tools.main import main
from tchannel_tools.tap.command import Tap
from tchannel_tools.tap.relay import Relay


@pytest.fixture
async def service():
    channel = TChannel("service", hostport="127.0.0.1:0")

    @channel.json.register
    async def echo(request):
        return request.body

    @channel.json.register
    async def busy(request):
        raise errors.BusyError("too much to do")

    channel.listen()
    yield channel
    await channel.close()


@pytest.fixture
async def client():
    channel = TChannel("client")
    yield channel
    await channel.close()


@pytest.fixture
async def tap(service, tmp_path):
    """A tap before the service, and where it saves what passes."""
    path = tmp_path / "calls.pcapng"
    with path.open("wb") as file:
        printer = Printer(Bodies(None), as_json=True)
        looks = Tap(printer, Filter(), Saving(file), events=False)
        relay = Relay(service.hostport, looks.look, lambda error: None)
        hostport = await relay.start("127.0.0.1:0")
        yield hostport, path
        await relay.close()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


async def test_calls_that_pass_are_shown_and_saved(tap, client, capsys):
    hostport, path = tap
    large = {"text": "x" * 200_000}
    for body in ({"a": 1}, large):
        response = await client.json("service", "echo", body, hostport=hostport)
        assert response.body == body
    with pytest.raises(errors.BusyError):
        await client.json("service", "busy", {}, hostport=hostport, retry_limit=0)

    shown = lines(capsys.readouterr().out)
    assert [(one["endpoint"], one["outcome"]) for one in shown] == [
        ("echo", "ok"),
        ("echo", "ok"),
        ("busy", "busy"),
    ]
    assert shown[0]["request"]["body"] == shown[0]["response"]["body"] == {"a": 1}
    assert main(["decode", str(path), "--json", "--bodies"]) == 0
    saved = lines(capsys.readouterr().out)
    for one in (*shown, *saved):
        del one["time"], one["latency"]
    assert saved == shown


async def test_connections_that_end_leave_nothing_behind(tap, service, capsys):
    hostport, _ = tap
    before = len(asyncio.all_tasks())
    channel = TChannel("passing")
    await channel.json("service", "echo", {}, hostport=hostport)
    await channel.close()
    while len(asyncio.all_tasks()) > before:
        await asyncio.sleep(0)

    assert len(lines(capsys.readouterr().out)) == 1


async def test_a_service_that_is_not_there_is_told_and_the_caller_learns_it(client, unused_port):
    failures = []
    relay = Relay(f"127.0.0.1:{unused_port}", lambda passed: None, failures.append)
    hostport = await relay.start("127.0.0.1:0")
    with pytest.raises(errors.NetworkError):
        await client.json("service", "echo", {}, hostport=hostport)
    await relay.close()

    assert [type(one) for one in failures] == [ConnectionRefusedError]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--listen", "nowhere", "--to", "127.0.0.1:1"], "--listen: address 'nowhere' has no port"),
        (["--listen", "127.0.0.1:0", "--to", "unix:/x"], "--to: a tap relays TCP connections"),
        (["--to", "127.0.0.1:1"], "the following arguments are required: --listen"),
        (["--listen", "192.0.2.1:1", "--to", "127.0.0.1:1"], "cannot listen on 192.0.2.1:1"),
        (
            ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--save", "/no/such/folder/x"],
            "cannot write /no/such/folder/x: No such file or directory",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, told, capsys):
    assert main(["tap", *arguments]) == 125
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
