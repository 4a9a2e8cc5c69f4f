"""The programmable service, called by a real channel."""

import asyncio

import pytest

from tchannel import TChannel, errors
from tchannel_testing.clock import ManualClock
from tchannel_testing.service import FakeService


@pytest.fixture
async def service():
    """The service, listening."""
    async with FakeService("fake") as service:
        yield service


@pytest.fixture
async def call(service):
    """Calls a raw endpoint once, without retries; the result is the body."""
    async with TChannel("caller") as client:

        async def call(endpoint, body=b"", **kwargs):
            kwargs.setdefault("retry_on", "n")
            response = await client.raw("fake", endpoint, body, hostport=service.hostport, **kwargs)
            return response.body

        call.client = client
        yield call


async def test_an_endpoint_answers_what_it_was_told_and_goes_on_with_the_last(service, call):
    service.on("get").answers(b"one").answers(b"two")

    assert [await call("get") for _ in range(3)] == [b"one", b"two", b"two"]


async def test_a_programme_without_steps_answers_with_nothing(service, call):
    service.on("ping")

    assert await call("ping") == b""


async def test_steps_may_be_added_later(service, call):
    service.on("get").answers(b"one")
    assert await call("get") == b"one"
    service.on("get").answers(b"two")

    assert await call("get") == b"one"
    assert await call("get") == b"two"


async def test_endpoints_without_a_programme_are_unknown(call):
    with pytest.raises(errors.BadRequestError, match="nothing"):
        await call("nothing")


async def test_json_is_spoken_too(service, call):
    service.on("stats", "json").answers({"keys": 1}, {"h": "v"}, status=1)

    response = await call.client.json("fake", "stats", {"q": 1}, hostport=service.hostport)

    assert (response.body, response.headers, response.status) == ({"keys": 1}, {"h": "v"}, 1)
    service.assert_called_with("stats", body={"q": 1}, scheme="json", caller="caller")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errors.BUSY, errors.BusyError),
        (errors.DECLINED, errors.DeclinedError),
        (errors.UNHEALTHY, errors.UnhealthyError),
        (errors.BAD_REQUEST, errors.BadRequestError),
    ],
)
async def test_an_endpoint_fails_with_a_code(service, call, code, error):
    service.on("get").fails(code, "because").answers(b"fine")

    with pytest.raises(error, match="because"):
        await call("get")
    assert await call("get") == b"fine"


async def test_an_endpoint_fails_with_an_error_or_raises_any_exception(service, call):
    service.on("get").fails(errors.BusyError("full")).raises(KeyError("oops"))

    with pytest.raises(errors.BusyError, match="full"):
        await call("get")
    with pytest.raises(errors.UnexpectedError, match="oops"):
        await call("get")


def test_a_code_that_no_error_frame_has_is_refused():
    with pytest.raises(ValueError, match="99"):
        FakeService().on("get").fails(99)


async def test_a_hanging_endpoint_lets_the_caller_time_out(service, call):
    service.on("get").hangs()

    with pytest.raises(errors.TimeoutError):
        await call("get", timeout=0.01)


async def test_a_body_can_be_streamed(service, call):
    service.on("download").streams([b"a" * 70_000, b"b"])

    assert await call("download") == b"a" * 70_000 + b"b"


async def test_a_function_may_answer(service, call):
    async def double(request):
        await asyncio.sleep(0)
        return request.body * 2

    service.on("double").calls(double)

    assert await call("double", b"ab") == b"abab"


async def test_one_call_by_its_number_can_be_different(service, call):
    service.on("get").answers(b"usual").on_call(2).answers(b"second").on_call(3).fails(errors.BUSY)

    assert [await call("get"), await call("get")] == [b"usual", b"second"]
    with pytest.raises(errors.BusyError):
        await call("get")
    assert await call("get") == b"usual"


async def test_a_delay_passes_on_the_clock_of_the_service():
    clock = ManualClock()
    service = FakeService("fake", clock=clock)
    client = TChannel("caller", clock=clock)
    service.on("slow").delays(30).answers(b"late")
    call = client.raw("fake", "slow", hostport=service.hostport, timeout=60)

    for _ in range(100):  # until the call has crossed the socket
        await asyncio.sleep(0)
        if service.calls:
            break
    await clock.elapse(29)
    assert not call.done()
    await clock.elapse(1)

    assert (await call).body == b"late"
    for channel in (client, service.channel):
        closing = channel.close()
        while not closing.done():
            await clock.elapse(1)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_delay_that_makes_no_sense_is_refused(seconds):
    with pytest.raises(ValueError, match=str(seconds)):
        FakeService().on("get").delays(seconds)


def test_calls_are_counted_from_one():
    with pytest.raises(ValueError, match="from 1, got 0"):
        FakeService().on("get").on_call(0)


async def test_calls_are_remembered(service, call):
    service.on("get").answers(b"x")
    service.on("set")

    await call("get", b"a")
    await call("get", b"b", shard_key="s")

    assert [(one.endpoint, one.body) for one in service.calls] == [("get", b"a"), ("get", b"b")]
    service.assert_called_with("get", body=b"a", service="fake")
    service.assert_call_count("get", 2)
    service.assert_not_called("set")
    service.calls.clear()
    service.assert_not_called()


async def test_assertions_show_how_the_nearest_call_differs(service, call):
    service.on("get")
    await call("get", b"a")
    await call("get", b"b")

    with pytest.raises(AssertionError) as caught:
        service.assert_called_with("get", body=b"c", caller="caller")
    assert str(caught.value).splitlines() == [
        "none of 2 calls of get was as expected; the nearest differs:",
        "  body: expected b'c'",
        "             got b'a'",
    ]
    with pytest.raises(AssertionError, match="set was not called; called were get"):
        service.assert_called_with("set")
    with pytest.raises(AssertionError, match="get was called 2 times, not 1"):
        service.assert_call_count("get", 1)
    with pytest.raises(AssertionError, match="the service was called"):
        service.assert_not_called()
    with pytest.raises(TypeError, match="bodie"):
        service.assert_called_with("get", bodie=b"c")


async def test_big_differences_are_shown_line_by_line(service, call):
    service.on("set", "json")
    body = {f"key{n}": "value" * 3 for n in range(10)}
    await call.client.json("fake", "set", body, hostport=service.hostport)

    with pytest.raises(AssertionError, match=r"-.*'key3': 'other'") as caught:
        service.assert_called_with("set", body={**body, "key3": "other"})

    assert "+ 'key3': 'valuevaluevalue'" in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "programmed", "message"),
    [
        ("raw", lambda get: get.answers({"a": 1}), "a raw endpoint answers with bytes or str, not"),
        ("json", lambda get: get.answers(b"bytes"), "a json endpoint cannot answer with b'bytes'"),
        ("json", lambda get: get.answers(float("nan")), "a json endpoint cannot answer with nan"),
        ("raw", lambda get: get.answers(b"", status=2), "status must be 0, or 1"),
        ("raw", lambda get: get.fails("busy"), "fails takes a code or an error .*, not 'busy'"),
        ("raw", lambda get: get.fails(ValueError("x")), "fails takes a code or an error"),
        ("raw", lambda get: get.raises("busy"), "raises takes an exception, not 'busy'"),
        ("raw", lambda get: get.raises(int), "raises takes an exception"),
        ("raw", lambda get: get.calls(b"value"), "calls takes a function of the request, not b'va"),
    ],
)
def test_a_step_that_cannot_work_is_refused_when_it_is_added(scheme, programmed, message):
    get = FakeService("fake").on("get", scheme)

    with pytest.raises((TypeError, ValueError), match=message):
        programmed(get)


def test_an_endpoint_speaks_one_scheme_that_there_is():
    service = FakeService("fake")
    service.on("get")

    assert service.on("get", "raw") is service.on("get")
    with pytest.raises(ValueError, match="get speaks raw already, not json"):
        service.on("get", "json")
    with pytest.raises(ValueError, match="there is no arg scheme 'jsn'"):
        service.on("set", "jsn")


async def test_an_exception_may_be_given_as_its_class(service, call):
    service.on("get").raises(KeyError)

    with pytest.raises(errors.UnexpectedError, match="KeyError"):
        await call("get")
