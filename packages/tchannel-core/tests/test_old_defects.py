"""What went wrong in the tchannel-python of old and has no test elsewhere; docs/reliability.md has the list."""

import os
import subprocess
import sys

import pytest

from tchannel import errors

# Waits for processes, and says the same on every loop and Python.
pytestmark = pytest.mark.once


def run(code, *options):
    """Run Python code in a process of its own; what it prints."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
async def test_handlers_open_no_descriptors(tcp):
    server, client = tcp("server", hostport="127.0.0.1:0"), tcp("client")

    @server.raw.register("echo")
    async def echo(request):
        return request.body

    server.listen()
    await client.raw("server", "echo", hostport=server.hostport)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        await client.raw("server", "echo", hostport=server.hostport)

    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_streaming_call_has_the_time_that_its_caller_gives_it(joined):
    seen = []

    @joined.server.raw.register("sink", stream=True)
    async def sink(request):
        seen.append(request.timeout)
        await request.body.read()
        return b""

    async def chunks():
        yield b"one"
        yield b"two"

    call = joined.client.raw("server", "sink", chunks(), hostport=joined.hostport, timeout=7)
    await call

    assert seen == [pytest.approx(7, abs=0.01)]


async def test_an_error_of_a_lost_connection_has_a_text_of_its_own(joined):
    joined.server.raw.register("hang", lambda request: joined.to_server.abort() or b"")
    call = joined.client.raw("server", "hang", hostport=joined.hostport, retry_on="n")
    await joined.advance(1)

    error = call.exception()
    assert isinstance(error, errors.NetworkError)
    assert "lost" in str(error)


def test_the_applications_warning_filters_stay_as_they_are():
    printed = run(
        "import warnings\n"
        "warnings.filterwarnings('error', message='mine')\n"
        "before = list(warnings.filters)\n"
        "import tchannel, tchannel.sync, tchannel.singleton, tchannel.errors, tchannel.tracing\n"
        "tchannel.TChannel('a')\n"
        "print(warnings.filters[:len(before)] == before or warnings.filters == before)\n"
        "print('mine' in str(warnings.filters))\n"
    )

    assert printed.split() == ["True", "True"]


def test_a_callers_mistake_is_refused_also_where_assertions_are_off():
    printed = run(
        "import tchannel\n"
        "for arguments in ({'name': ''}, {'name': 'a', 'hostport': 'nowhere'},\n"
        "                  {'name': 'a', 'known_peers': 'one:1'}, {'name': 'a', 'clock': 5}):\n"
        "    try:\n"
        "        tchannel.TChannel(**arguments)\n"
        "    except (TypeError, ValueError) as error:\n"
        "        print('refused')\n",
        "-O",
    )

    assert printed.split() == ["refused"] * 4


def test_it_imports_and_works_where_apaches_library_is_not_installed():
    printed = run(
        "import sys\n"
        "sys.modules['thrift'] = None\n"
        "import tchannel, tchannel.sync\n"
        "tchannel.TChannel('a').json\n"
        "print('imported')\n"
    )

    assert printed.split() == ["imported"]


async def test_an_empty_header_value_is_an_empty_text_on_both_sides(joined):
    seen = []
    options = {"hostport": joined.hostport, "string_headers": True}

    @joined.server.raw.register("see", string_headers=True)
    def see(request):
        seen.append(request.headers)
        return b""

    await joined.client.raw("server", "see", headers={"key": ""}, **options)

    assert seen == [{"key": ""}]
