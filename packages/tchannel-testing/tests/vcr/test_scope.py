"""Which cassette a call belongs to: contexts, threads, nesting, parallel tests."""

import asyncio
import concurrent.futures
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from tchannel import TChannel, interceptors, sync
from tchannel_testing import vcr
from tchannel_testing.vcr.scope import find, intercept


async def test_only_calls_made_while_a_cassette_is_open_are_recorded(path, echo, service):
    await echo(b"before")
    with vcr.use_cassette(path) as cassette:
        await echo(b"inside")
    await echo(b"after")

    assert [request.body for request in cassette.requests] == [b"inside"]
    assert service.calls["echo"] == 3


def test_nothing_stands_in_the_way_while_no_cassette_is_open(path, tmp_path):
    with vcr.use_cassette(path), vcr.use_cassette(tmp_path / "inner.yaml"):
        assert interceptors.process_wide.outgoing.count(intercept) == 1

    assert intercept not in interceptors.process_wide.outgoing
    assert find() is None


async def test_the_inner_of_two_cassettes_gets_the_calls_then_the_outer_again(tmp_path, echo):
    with vcr.use_cassette(tmp_path / "outer.yaml") as outer:
        await echo(b"1")
        with vcr.use_cassette(tmp_path / "inner.yaml") as inner:
            await echo(b"2")
        await echo(b"3")

    assert [request.body for request in outer.requests] == [b"1", b"3"]
    assert [request.body for request in inner.requests] == [b"2"]


async def test_parallel_cassettes_do_not_mix(tmp_path, echo):
    async def one(name):
        with vcr.use_cassette(tmp_path / f"{name}.yaml") as cassette:
            for n in range(5):
                await echo(f"{name}{n}".encode())
        return cassette

    cassettes = await asyncio.gather(*(one(name) for name in "abc"))

    for name, cassette in zip("abc", cassettes, strict=True):
        assert [r.body.decode() for r in cassette.requests] == [f"{name}{n}" for n in range(5)]


async def test_a_task_older_than_the_cassette_is_covered(path, echo):
    opened, done = asyncio.Event(), asyncio.Event()

    async def older():
        await opened.wait()
        await echo(b"from an older task")
        done.set()

    task = asyncio.create_task(older())
    await asyncio.sleep(0)
    with vcr.use_cassette(path) as cassette:
        opened.set()
        await done.wait()
    await task

    assert [request.body for request in cassette.requests] == [b"from an older task"]


async def test_a_task_that_outlives_its_cassette_is_left_alone(path, echo):
    closed = asyncio.Event()

    async def later():
        await closed.wait()
        return await echo(b"later")

    with vcr.use_cassette(path, "none") as cassette:
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    closed.set()

    assert await task == b"later"
    assert cassette.requests == []


async def test_a_cassette_may_be_closed_in_another_context_than_it_was_opened_in(path, echo):
    use = vcr.use_cassette(path)

    async def enter():
        return use.__enter__()

    cassette = await asyncio.create_task(enter())
    await echo(b"one")
    await asyncio.create_task(use.__aexit__(None, None, None))
    await echo(b"two")

    assert [request.body for request in cassette.requests] == [b"one"]


async def test_scopes_that_ended_elsewhere_do_not_pile_up(path):
    uses = [vcr.use_cassette(path, "none") for _ in range(3)]
    for use in uses:
        use.__enter__()
        scope = use._scopes[-1]
        await asyncio.create_task(use.__aexit__(None, None, None))

    assert scope._enclosing is None


@pytest.fixture
def background_service():
    """A service in a loop of its own, for calls that block: gives its address."""
    ready = concurrent.futures.Future()

    def serve():
        async def main():
            stop = asyncio.Event()
            server = TChannel("service", hostport="127.0.0.1:0")
            server.raw.register("echo", lambda request: request.body)
            server.listen()
            async with server:
                ready.set_result((server.hostport, asyncio.get_running_loop(), stop))
                await stop.wait()

        asyncio.run(main())

    thread = threading.Thread(target=serve)
    thread.start()
    hostport, loop, stop = ready.result(10)
    yield hostport
    loop.call_soon_threadsafe(stop.set)
    thread.join()


def test_the_sync_client_records_and_replays_from_several_threads(path, background_service):
    bodies = [b"%d" % n for n in range(40)]

    def talk(hostport):
        client = sync.TChannel("client")
        try:
            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                return list(
                    threads.map(
                        lambda body: (
                            client.raw("service", "echo", body, hostport=hostport).result(10).body
                        ),
                        bodies,
                    )
                )
        finally:
            client.close()

    with vcr.use_cassette(path):
        assert talk(background_service) == bodies
    with vcr.use_cassette(path, "none") as cassette:
        assert talk("127.0.0.1:1") == bodies
        assert cassette.all_played


def test_a_loop_started_inside_the_cassette_is_covered(path, background_service):
    async def call():
        async with TChannel("client") as client:
            await client.raw("service", "echo", b"x", hostport=background_service)

    with vcr.use_cassette(path) as cassette:
        asyncio.run(call())

    assert len(cassette.requests) == 1


async def test_calls_through_another_service_are_recorded_where_they_start(tmp_path, echo, service):
    relay = TChannel("relay", hostport="127.0.0.1:0")

    @relay.raw.register("through")
    async def through(request):
        return await echo(request.body)

    relay.listen()
    async with relay, TChannel("client") as client:
        with vcr.use_cassette(tmp_path / "nested.yaml") as cassette:
            response = await client.raw("relay", "through", b"x", hostport=relay.hostport)
            assert response.body == b"x"
        with vcr.use_cassette(tmp_path / "nested.yaml", "none") as again:
            response = await client.raw("relay", "through", b"x")
            assert response.body == b"x"

    assert [request.service for request in cassette.requests] == ["relay", "service"]
    assert [interaction.play_count for interaction in again.interactions] == [1, 0]


@pytest.mark.extra
async def test_calls_through_a_router_replay_without_it(path):
    hyperbahn = pytest.importorskip("tchannel_hyperbahn.router", reason="needs tchannel-hyperbahn")

    async def talk(peers):
        async with TChannel("client", known_peers=peers) as client:
            return (await client.raw("advertised", "echo", b"x")).body

    async with hyperbahn.Router() as router, TChannel("advertised", "127.0.0.1:0") as server:
        server.raw.register("echo", lambda request: request.body)
        await server.advertise([router.hostport])
        with vcr.use_cassette(path) as cassette:
            assert await talk([router.hostport]) == b"x"

    assert cassette.requests[0].known_peers == [router.hostport]
    with vcr.use_cassette(path, "none"):
        assert await talk([]) == b"x"


async def test_a_streamed_answer_is_told_at_the_end(path, client, service):
    with (
        pytest.raises(vcr.VCRError, match="service::echo streams its answer"),
        vcr.use_cassette(path),
    ):
        response = await client.raw("service", "echo", b"x", hostport=service.hostport, stream=True)
        assert b"".join([chunk async for chunk in response.body]) == b"x"

    assert not path.exists()


async def test_a_streamed_body_is_refused_with_the_reason(path, client, service):
    async def chunks():
        yield b"a"

    with vcr.use_cassette(path), pytest.raises(vcr.VCRError, match="service::echo streams"):
        await client.raw("service", "echo", chunks(), hostport=service.hostport)


def run_python(code, *arguments):
    """Run code in an interpreter of its own; the result has its output."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_what_was_recorded_is_saved_when_the_interpreter_exits_inside(path):
    result = run_python(
        """
        import sys
        from tchannel_testing import vcr
        cassette = vcr.use_cassette(sys.argv[1]).__enter__()
        cassette.record(vcr.Request("service", "endpoint"), vcr.Response())
        sys.exit(3)
        """,
        path,
    )

    assert (result.returncode, result.stderr) == (3, "")
    assert len(vcr.Cassette(path).requests) == 1


def test_what_was_recorded_is_saved_when_the_test_is_interrupted(path):
    result = run_python(
        """
        import os, signal, sys
        from tchannel_testing import vcr
        with vcr.use_cassette(sys.argv[1]) as cassette:
            cassette.record(vcr.Request("service", "endpoint"), vcr.Response())
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 10)
        """,
        path,
    )

    assert "KeyboardInterrupt" in result.stderr
    assert len(vcr.Cassette(path).requests) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
def test_a_forked_child_does_not_write_its_parents_cassette(path):
    result = run_python(
        """
        import os, sys
        from tchannel_testing import vcr
        with vcr.use_cassette(sys.argv[1]) as cassette:
            cassette.record(vcr.Request("service", "endpoint"), vcr.Response())
            child = os.fork()
            if not child:
                sys.exit()
            os.waitpid(child, 0)
            print(os.path.exists(sys.argv[1]))
        """,
        path,
    )

    assert result.stdout == "False\n"
    assert len(vcr.Cassette(path).requests) == 1


def test_one_cassette_that_cannot_be_saved_at_exit_costs_no_other(path):
    result = run_python(
        """
        import os, pathlib, sys
        from tchannel_testing import vcr
        path = pathlib.Path(sys.argv[1])
        for folder in ("good", "bad", "better"):
            cassette = vcr.use_cassette(path / folder / "cassette.yaml").__enter__()
            cassette.record(vcr.Request("service", "endpoint"), vcr.Response())
        (path / "bad").parent.mkdir(parents=True, exist_ok=True)
        (path / "bad").write_text("in the way")
        """,
        path,
    )

    assert "cassette.yaml" in result.stderr or "bad" in result.stderr
    for folder in ("good", "better"):
        assert len(vcr.Cassette(path / folder / "cassette.yaml").requests) == 1
