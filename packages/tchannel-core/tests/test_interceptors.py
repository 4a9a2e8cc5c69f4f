"""A call as interceptors are given it, and the context that it is served in."""

import copy
from contextvars import Context

import pytest

from tchannel.context import current_request
from tchannel.interceptors import Call, UnseenCall


def fields(**others):
    return {
        "service": "keeper",
        "endpoint": "get",
        "scheme": "raw",
        "arg2": b"",
        "arg3": b"body",
        "headers": {"as": "raw"},
        "channel": None,
        "outgoing": True,
        "timeout": 1.0,
        "tracing": None,
        **others,
    }


class Source:
    """Where a call comes from; counts how often it is asked what the call is."""

    asked = 0

    def describe(self):
        self.asked += 1
        return Call(**fields()).described()


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def unseen(source):
    call = UnseenCall()
    call._origin = source
    return call


def test_a_call_is_described_once_and_only_when_it_is_looked_at(source, unseen):
    assert source.asked == 0

    assert (unseen.service, unseen.timeout, unseen.hostport) == ("keeper", 1.0, None)
    assert source.asked == 1


def test_an_attribute_that_is_set_without_a_look_keeps_its_value(unseen):
    unseen.timeout = 2.0

    assert unseen.timeout == 2.0
    assert unseen.endpoint == "get"


@pytest.mark.parametrize("how", [copy.copy, lambda call: call.replace()], ids=["copy", "replace"])
def test_what_is_changed_in_a_copy_is_unchanged_in_the_call(unseen, how):
    other = how(unseen)
    other.arg3 = b"other"

    assert unseen.arg3 == b"body"
    assert isinstance(other, Call)


def test_a_copy_with_an_unknown_attribute_is_refused_by_name(unseen):
    with pytest.raises(TypeError, match="priority"):
        unseen.replace(priority=1)


@pytest.mark.parametrize("context", ["the same", "another"])
async def test_a_handler_knows_its_request_whatever_context_the_interceptor_proceeds_in(
    joined, context
):
    seen = []

    @joined.server.raw.register
    async def echo(request):
        seen.append(current_request() is request)
        return request.body

    def interceptor(call, proceed):
        return proceed(call) if context == "the same" else Context().run(proceed, call)

    joined.server.interceptors.incoming.append(interceptor)
    await joined.client.raw("server", "echo", b"", hostport=joined.hostport)

    assert seen == [True]


async def test_an_interceptor_sees_who_was_asked_and_how_often(joined):
    seen = []

    def watch(call, proceed):
        pending = proceed(call)
        seen.append(pending)
        return pending.future

    joined.client.interceptors.outgoing.append(watch)
    joined.server.interceptors.incoming.append(watch)
    joined.server.raw.register("get", lambda request: b"")

    await joined.client.raw("server", "get", hostport=joined.hostport)

    outgoing, incoming = seen
    assert (outgoing.peer, outgoing.attempts) == (joined.hostport, 1)
    assert (incoming.peer, incoming.attempts) == ("", 0)
