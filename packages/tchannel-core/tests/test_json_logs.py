"""Log lines as JSON, with the call that they are about."""

import io
import json
import logging

import pytest

from tchannel import errors
from tchannel.logging import JsonFormatter


@pytest.fixture(name="lines")
def lines_fixture():
    """A function that gives what was logged, each line read as JSON."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter(always={"version": "7"}))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_record_is_one_line_with_time_level_logger_and_message(lines):
    logging.getLogger("app").warning("two\nlines of %s", "text")

    (line,) = lines()

    assert line["message"] == "two\nlines of text"
    assert (line["level"], line["logger"], line["version"]) == ("WARNING", "app", "7")
    assert line["time"].endswith("Z")
    assert "peer" not in line


def test_what_extra_brings_is_in_the_line_whatever_it_is(lines):
    class Broken:
        def __str__(self):
            raise KeyError("no")

    logging.getLogger("app").info(
        "x", extra={"order": 7, "items": [1, "a"], "odd": {1}, "broken": Broken(), "level": "mine"}
    )

    (line,) = lines()
    assert (line["order"], line["items"], line["odd"]) == (7, [1, "a"], "{1}")
    assert (line["broken"], line["level"]) == ("<Broken>", "INFO")


def test_an_exception_is_told_with_its_traceback(lines):
    try:
        raise KeyError("what")
    except KeyError:
        logging.getLogger("app").exception("failed")

    (line,) = lines()
    assert line["exception"].startswith("Traceback")
    assert "KeyError: 'what'" in line["exception"]


async def test_the_line_of_a_call_has_its_peer_endpoint_and_trace(joined, lines):
    def boom(request):
        raise KeyError("x")

    joined.server.raw.register("boom", boom)
    seen = []
    joined.client.hooks.before_send_request(seen.append)
    with pytest.raises(errors.UnexpectedError):
        await joined.client.raw("server", "boom", b"", hostport=joined.hostport)

    (line,) = [line for line in lines() if line["message"].startswith("handler of boom failed")]
    assert (line["service"], line["endpoint"], line["logger"]) == (
        "server",
        "boom",
        "tchannel.inbound",
    )
    assert line["trace_id"] == f"{seen[0].tracing.trace_id:016x}"
    assert isinstance(line["message_id"], int)
    assert "KeyError: 'x'" in line["exception"]


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_what_a_handler_logs_is_about_the_call_that_it_serves(joined, lines, kind):
    def plain(request):
        logging.getLogger("app").info("at work")
        return b""

    async def coroutine(request):
        return plain(request)

    joined.server.raw.register("work", plain if kind == "plain" else coroutine)
    seen = []
    joined.client.hooks.before_send_request(seen.append)
    await joined.client.raw("server", "work", b"", hostport=joined.hostport)
    logging.getLogger("app").info("afterwards")

    by_message = {line["message"]: line for line in lines()}
    assert by_message["at work"]["endpoint"] == "work"
    assert by_message["at work"]["trace_id"] == f"{seen[0].tracing.trace_id:016x}"
    assert "endpoint" not in by_message["afterwards"]


async def test_a_failed_attempt_has_the_trace_of_its_call(joined, lines):
    joined.server.raw.register("busy", _busy)
    call = joined.client.raw("server", "busy", b"", hostport=joined.hostport, retry_limit=1)
    await joined.advance(5)
    with pytest.raises(errors.BusyError) as caught:
        await call

    (line,) = [line for line in lines() if line["message"].startswith("attempt 1 of")]
    assert line["trace_id"] == f"{caught.value.tracing.trace_id:016x}"


def _busy(request):
    raise errors.BusyError("no")


@pytest.mark.parametrize("always", [["a"], {1: "x"}, "version"])
def test_what_each_line_has_is_a_mapping(always):
    with pytest.raises(TypeError, match="always must be a mapping of str"):
        JsonFormatter(always=always)
