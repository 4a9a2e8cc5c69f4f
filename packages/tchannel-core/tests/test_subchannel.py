"""Further services of a channel."""

import inspect

import pytest

from tchannel import TChannel


@pytest.fixture
def caller(joined):
    """The caller name of each call that arrives, by scheme."""
    names = {}

    @joined.server.raw.register
    def raw(request):
        names["raw"] = request.transport.caller_name
        return b""

    @joined.server.json.register
    def json(request):
        names["json"] = request.transport.caller_name
        return {}

    return names


async def test_calls_of_a_subchannel_carry_its_name(joined, caller):
    other = joined.client.service("other")

    await other.raw("server", "raw", b"", hostport=joined.hostport)
    await other.json("server", "json", {}, hostport=joined.hostport)

    assert caller == {"raw": "other", "json": "other"}


async def test_a_caller_name_that_was_given_is_kept(joined, caller):
    other = joined.client.service("other")

    await other.raw("server", "raw", b"", hostport=joined.hostport, caller_name="somebody")
    await other.json("server", "json", {}, hostport=joined.hostport, caller_name="somebody")

    assert caller == {"raw": "somebody", "json": "somebody"}


def test_what_is_given_by_position_is_where_the_arguments_say():
    arguments = list(inspect.signature(TChannel("any").start_call).parameters)
    seen = []

    class Channel:
        def start_call(self, *args):
            seen.append(dict(zip(arguments, args, strict=True)))

    other = TChannel("own").service("other")
    other._channel = Channel()
    other.start_call(*(None if name == "caller_name" else name for name in arguments))

    (given,) = seen
    assert given.pop("caller_name") == "other"
    assert all(name == value for name, value in given.items())
