"""The pytest plugin, through pytest."""

import subprocess
import sys
import textwrap

import pytest

# For the runs inside this process, which would load them again each: classes of the second loading
# do not fit what C extensions keep of the first.
import tornado.gen
import yaml  # noqa: F401 - likewise

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester):
    """Runs a test file of this text with pytest; plugins that run coroutines stay out of it."""

    def run(text, *arguments, ini="", name="test_it", apart=False):
        pytester.makeini("[pytest]\nfilterwarnings = error\n" + ini)
        pytester.makepyfile(**{name: textwrap.dedent(text)})
        # What is left behind on purpose is left behind in another process.
        runpytest = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return runpytest(
            "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:randomly", "-p", "no:xdist", *arguments
        )

    return run


PLAIN = """
import asyncio
import pytest
from tchannel import TChannel

def run(coroutine):
    asyncio.run(coroutine)
"""


def test_the_documents_example_runs_on_every_python(run, pytester):
    result = run(
        """
        import pytest
        from tchannel import TChannel
        from tchannel.testing import vcr

        SERVER = []

        class MyServiceClient:
            def __init__(self, channel):
                self.channel = channel

            def myMethod(self):
                if not SERVER:
                    server = TChannel("my-service", hostport="127.0.0.1:0")
                    server.json.register("myMethod", lambda request: {"answer": 42})
                    server.listen()
                    SERVER.append(server)
                return self.channel.json("my-service", "myMethod", hostport=SERVER[0].hostport)

        @pytest.mark.gen_test
        @vcr.use_cassette('data/bar.yaml')
        def test_bar():
            channel = TChannel('test-client')
            service_client = MyServiceClient(channel)

            response = yield service_client.myMethod()
            assert response.body == {"answer": 42}
            yield channel.close()
            yield SERVER[0].close()

        @pytest.mark.gen_test
        def test_bar_again():
            with vcr.use_cassette('data/bar.yaml', record_mode='none') as cassette:
                channel = TChannel('test-client')
                yield MyServiceClient(channel).myMethod()
                assert cassette.play_count == 1
                yield channel.close()
        """
    )

    result.assert_outcomes(passed=2)
    assert pytester.path.joinpath("data/bar.yaml").exists()


@pytest.mark.parametrize(
    "body",
    [
        """
        @pytest.mark.gen_test
        def test_it(value):
            yield gen.moment
            ran.append(value)
        """,
        """
        @pytest.mark.gen_test
        async def test_it(value):
            await asyncio.sleep(0)
            ran.append(value)
        """,
        """
        @pytest.mark.gen_test
        @gen.coroutine
        def test_it(value):
            yield gen.moment
            ran.append(value)
        """,
        """
        @pytest.mark.gen_test
        class TestIt:
            def test_it(self, value):
                yield gen.moment
                ran.append(value)
        """,
    ],
    ids=["generator", "async def", "gen.coroutine", "method of a marked class"],
)
def test_gen_test_runs_every_kind_of_coroutine(run, body):
    result = run(
        """
        import asyncio
        import pytest
        from tornado import gen
        from tornado.ioloop import IOLoop

        ran = []

        @pytest.fixture(params=[1, 2])
        def value(request):
            return request.param

        {body}

        def test_all_ran():
            assert ran == [1, 2]
        """.replace("{body}", textwrap.indent(textwrap.dedent(body), " " * 8).strip())
    )

    result.assert_outcomes(passed=3)


def test_gen_test_leaves_no_loop_behind_and_takes_none_away(run):
    result = run(
        """
        import asyncio, gc, sys
        import pytest

        def current():
            if sys.version_info < (3, 14):
                return asyncio.get_event_loop_policy()._local._loop
            try:
                return asyncio.get_event_loop()
            except RuntimeError:
                return None

        @pytest.mark.gen_test
        async def test_first():
            assert current() is asyncio.get_running_loop()

        def test_there_is_none_left():
            assert current() is None
            gc.collect()

        def test_somebody_sets_one():
            asyncio.set_event_loop(asyncio.new_event_loop())

        @pytest.mark.gen_test
        def test_beside_it(io_loop):
            yield
            assert current() is io_loop.asyncio_loop

        def test_it_is_still_there():
            loop = current()
            assert not loop.is_closed()
            asyncio.set_event_loop(None)
            loop.close()
        """,
        apart=True,
    )
    result.assert_outcomes(passed=5)


def test_gen_test_fails_with_its_test_and_ends_after_its_timeout(run):
    result = run(
        """
        import pytest
        from tornado import gen

        @pytest.mark.gen_test
        def test_fails():
            yield gen.moment
            assert 1 == 2

        @pytest.mark.gen_test(timeout=0.01)
        async def test_too_long():
            await gen.sleep(60)
        """
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*assert 1 == 2*", "*TimeoutError*"])


def test_gen_test_runs_on_the_loop_of_the_fixture(run):
    result = run(
        """
        import asyncio
        import pytest
        from tornado.ioloop import IOLoop

        @pytest.mark.gen_test
        def test_it(io_loop):
            assert IOLoop.current() is io_loop
            left = asyncio.ensure_future(asyncio.sleep(60))
            yield asyncio.sleep(0)
        """
    )

    result.assert_outcomes(passed=1)


def test_generators_without_the_mark_are_left_to_pytest(run):
    result = run("def test_it():\n    yield 1\n")

    assert result.parseoutcomes().get("passed") is None


def test_the_fixtures_work_together_in_a_tornado_coroutine(run):
    result = run(
        """
        import pytest

        @pytest.mark.gen_test
        def test_service(tchannel_client, tchannel_service):
            tchannel_service.on("get").answers(b"value")
            response = yield tchannel_client.raw(
                "test-service", "get", b"key", hostport=tchannel_service.hostport
            )
            assert response.body == b"value"
            tchannel_service.assert_called_with("get", body=b"key", caller="test-client")

        @pytest.mark.gen_test
        async def test_pair(tchannel_pair):
            tchannel_pair.server.json.register("greet", lambda request: {"hello": request.body})
            response = await tchannel_pair.client.json("server", "greet", "you")
            assert response.body == {"hello": "you"}
        """,
        ini="tchannel_leak_check = true\n",
    )

    result.assert_outcomes(passed=2)


@pytest.mark.extra
def test_the_router_is_there_with_tchannel_hyperbahn(run):
    pytest.importorskip("tchannel_hyperbahn", reason="needs tchannel-hyperbahn")
    result = run(
        """
        import pytest

        @pytest.mark.gen_test
        async def test_router(tchannel_router, tchannel_service, tchannel_client):
            tchannel_service.on("get").answers(b"routed")
            routers = [tchannel_router.hostport]
            await tchannel_service.channel.advertise(routers)
            tchannel_client.peers.add(routers[0])
            response = await tchannel_client.raw("test-service", "get")
            assert response.body == b"routed"
        """,
        ini="tchannel_leak_check = true\n",
    )

    result.assert_outcomes(passed=1)


@pytest.mark.extra
def test_the_router_serves_a_plain_function_too(run):
    pytest.importorskip("tchannel_hyperbahn", reason="needs tchannel-hyperbahn")
    result = run(
        PLAIN
        + """
import threading
from tchannel import sync

@pytest.fixture
def address(tchannel_router):
    return tchannel_router.hostport  # known before the test function runs

@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.enumerate()
    yield
    assert threading.enumerate() == before

def test_sync(tchannel_router, address):
    with sync.TChannel("sync", hostport="127.0.0.1:0") as channel:
        assert channel.advertise(routers=[address]).result(10).body == {"connectionCount": 1}
        assert list(tchannel_router.services) == ["sync"]

def test_own_loop(tchannel_router):
    async def main():
        async with tchannel_router:
            async with TChannel("async", hostport="127.0.0.1:0") as channel:
                await channel.advertise(routers=[tchannel_router.hostport])
    run(main())

def test_that_fails(address):
    raise ValueError("as it says")

def test_none_of_it(tchannel_router):
    pass
""",
        ini="tchannel_leak_check = true\n",
        apart=True,
    )

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*ValueError: as it says*"])


@pytest.mark.extra
def test_a_router_that_no_test_function_used_gives_its_address_back(run):
    pytest.importorskip("tchannel_hyperbahn", reason="needs tchannel-hyperbahn")
    result = run(
        """
        import pytest

        @pytest.fixture
        def broken(tchannel_router):
            pytest.fail("before the test")

        def test_it(broken):
            pass
        """,
        apart=True,
    )

    result.assert_outcomes(errors=1)
    result.stdout.no_fnmatch_line("*ResourceWarning*")


def test_without_tchannel_hyperbahn_the_router_says_what_to_install(run):
    result = run(
        """
        import sys
        import pytest

        sys.modules["tchannel_hyperbahn"] = None

        def test_it(tchannel_router):
            pass
        """,
        apart=True,
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pip install tchannel-hyperbahn*"])


def test_the_fixtures_work_in_a_plain_function_that_runs_its_own_loop(run):
    result = run(
        PLAIN
        + """
def test_service(tchannel_client, tchannel_service):
    async def main():
        tchannel_service.on("get").answers(b"value")
        response = await tchannel_client.raw("s", "get", hostport=tchannel_service.hostport)
        assert response.body == b"value"
        await tchannel_client.close()
        await tchannel_service.close()

    run(main())

def test_pair(tchannel_pair):
    async def main():
        tchannel_pair.server.raw.register("get", lambda request: b"value")
        assert (await tchannel_pair.client.raw("server", "get")).body == b"value"

    run(main())

def test_nothing(tchannel_client, tchannel_service, tchannel_pair):
    pass
""",
        ini="tchannel_leak_check = true\n",
    )

    result.assert_outcomes(passed=3)


CASSETTE = """
import pathlib
import asyncio
import pytest
from tchannel import TChannel

calls = []

async def talk(body):
    server = TChannel("server", hostport="127.0.0.1:0")

    @server.raw.register("echo")
    def echo(request):
        calls.append(request.body)
        return request.body

    server.listen()
    async with server, TChannel("client") as client:
        response = await client.raw("server", "echo", body, hostport=server.hostport)
        assert response.body == body
"""


def test_a_cassette_is_named_after_the_test(run, pytester):
    text = (
        CASSETTE
        + """
@pytest.mark.parametrize("body", ["a", "b/../c"])
def test_function(tchannel_cassette, body):
    asyncio.run(talk(body.encode()))

class TestClass:
    def test_method(self, tchannel_cassette):
        asyncio.run(talk(b"method"))

def test_count():
    assert len(calls) == int(pathlib.Path("expected").read_text())
"""
    )
    for expected in ("3", "0"):  # recorded, then replayed
        pytester.path.joinpath("expected").write_text(expected)
        run(text).assert_outcomes(passed=4)

    assert sorted(path.name for path in pytester.path.rglob("*.yaml")) == [
        "TestClass.test_method.yaml",
        "test_function[a].yaml",
        "test_function[b-..-c].yaml",
    ]
    assert (pytester.path / "cassettes" / "test_it").is_dir()


def test_the_marker_says_otherwise_and_needs_no_argument(run, pytester):
    text = (
        CASSETTE
        + """
@pytest.mark.tchannel_cassette("data/some.yaml", "new_episodes", matchers=["endpoint"])
def test_record():
    asyncio.run(talk(b"one"))

@pytest.mark.tchannel_cassette("data/some.yaml", record_mode="none", matchers=["endpoint"])
def test_replay(tchannel_cassette):
    asyncio.run(talk(b"one"))
    assert tchannel_cassette.all_played

@pytest.mark.parametrize("body", [pytest.param("m", marks=pytest.mark.tchannel_cassette), "n"])
def test_some(body):
    asyncio.run(talk(body.encode()))
"""
    )

    run(text, ini="tchannel_cassette_dir = tapes\n").assert_outcomes(passed=4)

    assert sorted(
        str(path.relative_to(pytester.path)) for path in pytester.path.rglob("*.yaml")
    ) == [
        "data/some.yaml",
        "tapes/test_it/test_some[m].yaml",
    ]


def test_the_option_overrides_the_record_mode(run, pytester):
    text = (
        CASSETTE
        + """
@pytest.mark.tchannel_cassette("some.yaml", "all")
def test_it():
    asyncio.run(talk(b"one"))
"""
    )

    run(text, "--tchannel-record-mode=none").assert_outcomes(failed=1)
    run(text).assert_outcomes(passed=1)
    run(text, "--tchannel-record-mode", "NONE").assert_outcomes(passed=1)


def test_a_marker_that_makes_no_sense_is_a_usage_error(run):
    result = run(
        """
        import pytest

        @pytest.mark.tchannel_cassette("path", "none", True)
        def test_it(): ...
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker tchannel_cassette takes*"])


@pytest.mark.skipif(
    tornado.version_info < (6, 4, 1), reason="AsyncTestCase of Tornado 6.4.0 is not for pytest 8.2"
)
def test_a_cassette_works_in_a_unittest_case(run, pytester):
    text = (
        CASSETTE
        + """
from tornado.testing import AsyncTestCase, gen_test

class Case(AsyncTestCase):
    @pytest.mark.tchannel_cassette("case.yaml")
    @gen_test
    async def test_it(self):
        await talk(b"one")
"""
    )

    run(text).assert_outcomes(passed=1)
    run(text, "--tchannel-record-mode=none").assert_outcomes(passed=1)
    assert pytester.path.joinpath("case.yaml").exists()


LEAKS = """
import asyncio
import pytest
from tchannel import TChannel

kept = []

@pytest.mark.gen_test
async def test_leaks_a_listener():
    channel = TChannel("forgotten", hostport="127.0.0.1:0")
    kept.append(channel)
    channel.listen()

@pytest.mark.gen_test
async def test_leaks_a_connection(tchannel_service):
    tchannel_service.on("get")
    channel = TChannel("careless")
    kept.append(channel)
    await channel.raw("test-service", "get", hostport=tchannel_service.hostport)
    tchannel_service.channel.close = lambda grace=None: asyncio.sleep(0)
    tchannel_service.channel.is_closed = lambda: True

@pytest.mark.gen_test
async def test_leaks_a_client_whose_connections_are_gone():
    channel = TChannel("unclosed")
    kept.append(channel)
    with pytest.raises(ConnectionError):
        await channel.raw("test-service", "get", hostport="127.0.0.1:1")

@pytest.mark.gen_test
async def test_leaks_a_task():
    kept.append(asyncio.create_task(asyncio.sleep(60), name="still-running"))

@pytest.mark.gen_test
async def test_is_clean(tchannel_service, tchannel_client):
    tchannel_service.on("get")
    await tchannel_client.raw("test-service", "get", hostport=tchannel_service.hostport)
    await asyncio.create_task(asyncio.sleep(0))
    async with TChannel("tidy", hostport="127.0.0.1:0") as channel:
        channel.listen()
    TChannel("never-used")

@pytest.fixture(scope="module")
def shared():
    channel = TChannel("shared", hostport="127.0.0.1:0")
    kept.append(channel)
    return channel

def test_may_use_what_lives_longer(shared):
    shared.listen()
"""


def test_leaks_fail_the_test_that_left_them_when_the_setting_says_so(run):
    text = LEAKS.replace("    shared.listen()\n", "    pass\n")
    result = run(text, "-W", "ignore", ini="tchannel_leak_check = true\n", apart=True)

    result.assert_outcomes(passed=6, errors=4)
    result.stdout.fnmatch_lines_random(
        [
            "*channel forgotten: listens on 127.0.0.1:*",
            "*channel careless: has 1 connections*",
            "*channel unclosed: was used and never closed*",
            "*task still-running: sleep*",
        ]
    )


def test_leaks_are_not_looked_for_unless_asked(run):
    run(LEAKS, "-W", "ignore", apart=True).assert_outcomes(passed=6)


def test_one_test_can_ask_for_the_check(run):
    result = run(
        """
        import pytest
        from tchannel import TChannel

        kept = []

        @pytest.mark.usefixtures("tchannel_leak_check")
        def test_it():
            kept.append(TChannel("forgotten", hostport="127.0.0.1:0"))
            kept[0].listen()
        """,
        "-W",
        "ignore",
        apart=True,
    )

    result.assert_outcomes(passed=1, errors=1)


def test_an_exception_of_the_test_is_not_hidden_by_what_happens_around_it(run):
    result = run(
        """
        import pytest

        @pytest.mark.gen_test
        def test_it(tchannel_client):
            yield tchannel_client.raw("nowhere", "endpoint", retry_on="n")

        @pytest.mark.gen_test
        async def test_it_too(tchannel_client):
            assert tchannel_client.name == "?"
        """
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*NoAvailablePeerError*", "*assert 'test-client' == '?'*"])


def test_loading_the_plugin_imports_neither_tornado_nor_yaml_nor_tchannel():
    code = """
import sys, tchannel_testing.pytest_plugin, tchannel_testing.pytest_plugin.gen_test
heavy = {"tornado", "yaml", "tchannel", "tchannel_wire"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert result.returncode == 0, result.stderr.decode()
