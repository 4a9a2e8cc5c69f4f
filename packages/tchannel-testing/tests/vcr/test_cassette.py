"""What a cassette does with calls: replaying, recording, redacting, explaining."""

import asyncio
import json
import re
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tchannel import TChannel, errors
from tchannel_testing import vcr


async def test_each_recording_is_played_once_in_the_order_of_recording(path, client, service):
    async def count():
        return (await client.raw("service", "count", hostport=service.hostport)).body

    with vcr.use_cassette(path):
        assert [await count(), await count()] == [b"1", b"2"]

    with vcr.use_cassette(path) as cassette:
        assert [await count(), await count()] == [b"1", b"2"]
        with pytest.raises(vcr.CannotRecordInteractionsError, match="allow_playback_repeats"):
            await count()
        assert [interaction.play_count for interaction in cassette.interactions] == [1, 1]


async def test_playback_may_repeat_once_everything_that_matches_was_played(recorded, echo):
    with vcr.use_cassette(recorded, allow_playback_repeats=True) as cassette:
        for _ in range(3):
            await echo(b"one")
        assert [interaction.play_count for interaction in cassette.interactions] == [3, 0]
        assert cassette.play_count == 3
        assert not cassette.all_played


async def test_what_the_caller_sees_is_the_same_recording_and_replaying(path, client, service):
    async def talk():
        raw = await client.raw("service", "echo", b"\xff\x00", b"head", hostport=service.hostport)
        fail = await client.raw("service", "fail", hostport=service.hostport)
        greet = await client.json("service", "greet", {"name": "é"}, hostport=service.hostport)
        return [
            (answer.body, answer.headers, answer.status, answer.transport.to_dict())
            for answer in (raw, fail, greet)
        ]

    without = await talk()
    with vcr.use_cassette(path):
        recording = await talk()
    with vcr.use_cassette(path, "none") as cassette:
        replay = await talk()
        assert cassette.all_played

    assert without == recording == replay


async def test_system_errors_are_recorded_in_their_order_and_replayed(path, client, service):
    async def attempt():
        try:
            return (
                await client.raw("service", "busy", hostport=service.hostport, retry_on="n")
            ).body
        except errors.TChannelError as error:
            return type(error), error.description, error.code

    with vcr.use_cassette(path):
        first = [await attempt(), await attempt()]
    assert first == [(errors.BusyError, "come back later", 3), b"welcome"]

    with vcr.use_cassette(path, "none") as cassette:
        assert [await attempt(), await attempt()] == first
        assert isinstance(cassette.responses[0], vcr.Failure)


async def test_a_timeout_is_recorded_and_replayed_at_once(path):
    server = TChannel("slow", hostport="127.0.0.1:0")
    server.raw.register("sleep", lambda request: asyncio.get_running_loop().create_future())
    server.listen()
    async with server, TChannel("client") as client:
        with vcr.use_cassette(path), pytest.raises(errors.TimeoutError) as recorded:
            await client.raw("slow", "sleep", hostport=server.hostport, timeout=0.01)
        before = time.monotonic()
        with vcr.use_cassette(path, "none"), pytest.raises(errors.TimeoutError) as replayed:
            await client.raw("slow", "sleep", hostport=server.hostport, timeout=600)

    assert time.monotonic() - before < 60
    assert replayed.value.description == recorded.value.description


async def test_the_lack_of_a_peer_is_not_recorded_and_the_next_run_asks_again(path, service):
    async with TChannel("client") as client:
        with vcr.use_cassette(path), pytest.raises(errors.NoAvailablePeerError):
            await client.raw("service", "echo", b"x", retry_on="n")
    assert not path.exists()

    async with TChannel("client", known_peers=[service.hostport]) as client:
        with vcr.use_cassette(path) as cassette:
            assert (await client.raw("service", "echo", b"x")).body == b"x"

    assert len(cassette.requests) == 1


async def test_a_replay_needs_no_peer_and_no_loop_to_connect(recorded, client):
    with vcr.use_cassette(recorded, "none"):
        assert (await client.raw("service", "echo", b"two")).body == b"two"


async def test_a_cancelled_call_is_not_recorded(path, client):
    server = TChannel("slow", hostport="127.0.0.1:0")
    started = asyncio.Event()

    @server.raw.register("sleep")
    def sleep(request):
        started.set()
        return asyncio.get_running_loop().create_future()

    server.listen()
    async with server:
        with vcr.use_cassette(path) as cassette:
            call = client.raw("slow", "sleep", hostport=server.hostport)
            await started.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert cassette.requests == []

    assert not path.exists()


async def test_a_request_without_a_recording_shows_the_nearest_and_what_differs(recorded, client):
    with vcr.use_cassette(recorded, "none") as cassette:
        with pytest.raises(vcr.RequestNotFoundError) as caught:
            await client.raw("service", "echo", b"tw0", b"head")
        with pytest.raises(vcr.RequestNotFoundError):
            cassette.replay(vcr.Request("other", "thing"))

    message = str(caught.value)
    assert str(recorded) in message
    assert "service::echo (raw)" in message
    assert "body differs: now b'tw0', recorded b'one'" in message
    assert "headers differs: now b'head', recorded b''" in message
    assert "the same: serviceName, endpoint, argScheme" in message


async def test_of_equally_near_recordings_an_unplayed_one_is_shown(recorded, echo):
    with vcr.use_cassette(recorded, "none"):
        await echo(b"one")
        with pytest.raises(vcr.RequestNotFoundError, match=r"recording 2:\n.*recorded b'two'"):
            await echo(b"three")


async def test_the_order_in_the_file_is_that_of_the_calls_not_of_the_answers(path, client):
    server = TChannel("service", hostport="127.0.0.1:0")
    release = asyncio.get_running_loop().create_future()

    @server.raw.register("wait")
    async def wait(request):
        if request.body == b"first":
            await release
        return b""

    server.listen()
    async with server:
        with vcr.use_cassette(path):
            first = client.raw("service", "wait", b"first", hostport=server.hostport)
            await client.raw("service", "wait", b"second", hostport=server.hostport)
            release.set_result(None)
            await first

    assert [request.body for request in vcr.Cassette(path).requests] == [b"first", b"second"]


async def test_recording_the_same_again_gives_the_same_file(path, tmp_path, echo):
    files = []
    for name in ("a.yaml", "b.yaml"):
        with vcr.use_cassette(tmp_path / name):
            await echo(b"one", b"head")
            await echo(b"two")
        files.append((tmp_path / name).read_bytes())

    assert files[0] == files[1]


async def test_before_record_changes_what_is_written_and_still_replays(path, client, service):
    def hide_secrets(interaction):
        interaction.request.headers = json.dumps(
            {**json.loads(interaction.request.headers), "token": "hidden"}
        ).encode()
        if interaction.response is not None:
            interaction.response.body = interaction.response.body.replace(b"Zoe", b"Anna")
        return interaction

    async def greet(token):
        response = await client.json(
            "service", "greet", {"name": "Zoe"}, {"token": token}, hostport=service.hostport
        )
        return response.body

    with vcr.use_cassette(path, before_record=hide_secrets):
        assert await greet("s3cret") == {"hello": "Zoe"}
    assert "s3cret" not in path.read_text()

    with vcr.use_cassette(path, "none", before_record=hide_secrets):
        assert await greet("another s3cret") == {"hello": "Anna"}


async def test_before_record_can_leave_calls_out_of_the_cassette(path, echo, service):
    def only_one(interaction):
        return interaction if interaction.request.body == b"one" else None

    for mode in ("once", "none"):
        with vcr.use_cassette(path, mode, before_record=only_one) as cassette:
            await echo(b"one")
            await echo(b"live")
            assert [request.body for request in cassette.requests] == [b"one"]

    assert service.calls["echo"] == 3


async def test_an_answer_that_before_record_fails_on_is_told_at_the_end_and_others_are_kept(
    path, echo
):
    def fails_for_two(interaction):
        if interaction.response is not None and interaction.response.body == b"two":
            raise KeyError("oops")
        return interaction

    with (
        pytest.raises(vcr.VCRError, match=r"could not be recorded.*oops"),
        vcr.use_cassette(path, before_record=fails_for_two),
    ):
        await echo(b"one")
        assert await echo(b"two") == b"two"

    assert [request.body for request in vcr.Cassette(path).requests] == [b"one"]


async def test_nothing_is_lost_when_the_test_fails(path, echo):
    with pytest.raises(ZeroDivisionError), vcr.use_cassette(path):
        await echo(b"one")
        _ = 1 / 0

    assert [request.body for request in vcr.Cassette(path).requests] == [b"one"]


async def test_a_thousand_parallel_calls_fit_one_cassette(path, client, service):
    async def calls():
        answers = await asyncio.gather(
            *(
                client.raw("service", "echo", b"%d" % n, hostport=service.hostport)
                for n in range(1000)
            )
        )
        return [answer.body for answer in answers]

    with vcr.use_cassette(path):
        assert await calls() == [b"%d" % n for n in range(1000)]
    with vcr.use_cassette(path, "none") as cassette:
        assert await calls() == [b"%d" % n for n in range(1000)]
        assert cassette.all_played

    assert [request.body for request in cassette.requests] == [b"%d" % n for n in range(1000)]
    assert service.calls["echo"] == 1000


def test_methods_of_a_cassette_work_without_the_network(path):
    request = vcr.Request("service", "endpoint", body=b"\x00")
    cassette = vcr.Cassette(path)
    assert not cassette.can_replay(request)
    cassette.record(request, vcr.Response(body=b"answer"))
    cassette.record(request, vcr.Failure(3, "BusyError", "busy"))
    cassette.save()

    again = vcr.Cassette(path)
    assert len(again.data) == 2
    assert again.can_replay(request)
    assert again.replay(request).body == b"answer"
    with pytest.raises(errors.BusyError, match="busy"):
        again.replay(request)
    assert not again.can_replay(request)
    with pytest.raises(vcr.CannotRecordInteractionsError):
        again.record(request, vcr.Response())
    assert "2 loaded, 2 played" in repr(again)


texts = st.text(max_size=20)
calls = st.one_of(
    st.tuples(st.just("raw"), st.binary(max_size=50), st.binary(max_size=20)),
    st.tuples(
        st.just("json"),
        st.recursive(
            st.none() | st.booleans() | st.integers() | texts,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
            max_leaves=6,
        ),
        st.dictionaries(texts, texts, max_size=3),
    ),
)


@given(st.lists(calls, max_size=6))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_record_then_replay_gives_the_same_results_for_any_calls(tmp_path_factory, conversation):
    path = tmp_path_factory.mktemp("any") / "cassette.yaml"

    async def talk(hostport):
        seen = []
        async with TChannel("client") as client:
            for scheme, body, headers in conversation:
                answer = await getattr(client, scheme)(
                    "service", "echo", body, headers, hostport=hostport
                )
                seen.append((answer.body, answer.headers, answer.status))
        return seen

    async def record():
        server = TChannel("service", hostport="127.0.0.1:0")

        @server.register(TChannel.FALLBACK)
        def echo(request):
            from tchannel import Response

            return Response(request.body, request.headers)

        server.listen()
        async with server:
            with vcr.use_cassette(path):
                return await talk(server.hostport)

    async def replay():
        with vcr.use_cassette(path, "none"):
            return await talk("127.0.0.1:1")

    assert asyncio.run(record()) == asyncio.run(replay())


def change(field, value):
    def before_record(interaction):
        setattr(interaction.request, field, value)
        return interaction

    return before_record


@pytest.mark.parametrize(
    ("before_record", "problem"),
    [
        (lambda interaction: 5, "must return the interaction, or None to leave it out; not 5"),
        (change("body", "text"), "before_record set request.body to 'text': must be bytes"),
        (change("headers", None), "before_record set request.headers to None: must be bytes"),
    ],
)
async def test_what_before_record_makes_is_looked_at_before_the_call(
    path, echo, service, before_record, problem
):
    with (
        vcr.use_cassette(path, before_record=before_record),
        pytest.raises(vcr.VCRError, match=re.escape(problem)),
    ):
        await echo(b"one")

    assert not service.calls


def test_a_before_record_that_is_no_function_is_refused(path):
    with pytest.raises(vcr.VCRError, match="before_record must be a function, not 5"):
        vcr.Cassette(path, before_record=5)


@pytest.mark.parametrize("mode", ["once", "new_episodes"])
async def test_cassettes_of_one_path_lose_nothing_of_each_other(path, echo, mode):
    async def test(body):
        async with vcr.use_cassette(path, mode):
            await echo(body)

    bodies = [b"%d" % number for number in range(10)]
    await asyncio.gather(*map(test, bodies))

    assert sorted(request.body for request in vcr.Cassette(path).requests) == bodies


async def test_a_cassette_inside_one_of_the_same_path_loses_nothing(recorded, echo):
    with vcr.use_cassette(recorded, "new_episodes") as outer:
        await echo(b"outer")
        outer.save()
        with vcr.use_cassette(recorded, "new_episodes"):
            await echo(b"inner")
        await echo(b"last")

    bodies = [request.body for request in vcr.Cassette(recorded).requests]
    assert bodies == [b"one", b"two", b"outer", b"inner", b"last"]


async def test_a_file_that_was_spoilt_meanwhile_is_replaced(recorded, echo):
    with vcr.use_cassette(recorded, "new_episodes"):
        await echo(b"three")
        recorded.write_text("{")

    bodies = [request.body for request in vcr.Cassette(recorded).requests]
    assert bodies == [b"one", b"two", b"three"]


def test_two_processes_may_record_into_one_path(path):
    program = """if True:
        import sys
        from tchannel_testing import vcr
        for number in range(20):
            with vcr.use_cassette(sys.argv[1], "new_episodes") as cassette:
                request = vcr.Request("service", f"{sys.argv[2]}-{number}")
                cassette.record(request, vcr.Response())
        """
    names = ["first", "second"]
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in names
    ]

    assert [process.wait(30) for process in processes] == [0, 0]
    endpoints = {request.endpoint for request in vcr.Cassette(path).requests}
    assert endpoints == {f"{name}-{number}" for name in names for number in range(20)}
