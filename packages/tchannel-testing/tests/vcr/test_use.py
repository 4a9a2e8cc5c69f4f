"""``use_cassette`` around blocks, functions and coroutines, in any order of decorators."""

import asyncio
import concurrent.futures
import importlib
import inspect

import pytest
from tornado import gen
from tornado.testing import AsyncTestCase, gen_test

from tchannel_testing import vcr
from tchannel_testing.vcr.scope import find


@pytest.fixture
def use(path):
    """A ``use_cassette`` of this test's file."""
    return vcr.use_cassette(path)


def test_a_block(use, path):
    with use as cassette:
        assert find() is cassette
        assert cassette.path == str(path)

    assert find() is None


async def test_an_async_block(use):
    async with use as cassette:
        assert find() is cassette

    assert find() is None


def test_the_same_object_may_be_used_again_also_inside_itself(use):
    with use as outer:
        with use as inner:
            assert find() is inner
        assert find() is outer


async def test_tasks_may_share_it_and_each_closes_its_own(use):
    opened = asyncio.Barrier(2)

    async def task(*, first):
        with use as cassette:
            await opened.wait()
            if first:
                await asyncio.sleep(0)
            assert find() is cassette
        return cassette

    one, two = await asyncio.gather(task(first=True), task(first=False))

    assert one is not two
    assert find() is None


def test_a_function(use):
    @use
    def function(a, b=2):
        """Documented."""
        return find(), a, b

    cassette, a, b = function(1, b=3)

    assert isinstance(cassette, vcr.Cassette)
    assert (a, b) == (1, 3)
    assert function.__doc__ == "Documented."
    assert list(inspect.signature(function).parameters) == ["a", "b"]
    assert find() is None


def test_a_function_that_fails(use):
    @use
    def function():
        raise KeyError("oops")

    with pytest.raises(KeyError):
        function()

    assert find() is None


async def test_a_coroutine_function(use):
    @use
    async def function():
        await asyncio.sleep(0)
        return find()

    assert inspect.iscoroutinefunction(function)
    assert isinstance(await function(), vcr.Cassette)
    assert find() is None


async def test_overlapping_calls_of_one_function_have_a_cassette_each(use):
    @use
    async def function():
        first = find()
        await asyncio.sleep(0)
        return first, find()

    pairs = await asyncio.gather(function(), function())

    assert pairs[0][0] is pairs[0][1] is not pairs[1][0]
    assert pairs[1][0] is pairs[1][1]


async def test_below_gen_coroutine(use):
    @gen.coroutine
    @use
    def function():
        yield gen.moment
        return find()

    assert isinstance(await function(), vcr.Cassette)
    assert find() is None


async def test_above_gen_coroutine(use):
    @use
    @gen.coroutine
    def function():
        first = find()
        yield gen.moment
        assert find() is first
        return first

    assert isinstance(await function(), vcr.Cassette)
    assert find() is None


async def test_above_gen_coroutine_an_error_passes_and_the_cassette_is_closed(use):
    @use
    @gen.coroutine
    def function():
        yield gen.moment
        raise KeyError("oops")

    with pytest.raises(KeyError):
        await function()

    assert find() is None


async def test_a_cassette_that_cannot_be_saved_fails_the_future(use, path):
    @use
    @gen.coroutine
    def function():
        find().record(vcr.Request("service", "endpoint"), vcr.Response())
        yield gen.moment
        path.parent.parent.joinpath("cassettes").touch()

    with pytest.raises(OSError, match="cassettes"):
        await function()


async def test_cancelling_reaches_what_is_decorated(use):
    inner = asyncio.get_running_loop().create_future()
    function = use(lambda: inner)

    outer = function()
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    await asyncio.wait([inner])

    assert inner.cancelled()
    assert find() is None


async def test_a_cancelled_future_is_cancelled_outside_too(use):
    inner = asyncio.get_running_loop().create_future()
    outer = use(lambda: inner)()

    inner.cancel()

    with pytest.raises(asyncio.CancelledError):
        await outer


async def test_a_plain_function_that_returns_a_coroutine(use):
    async def coroutine():
        return find()

    def plain():
        return coroutine()

    function = use(plain)

    assert isinstance(await function(), vcr.Cassette)
    assert find() is None


def test_a_function_that_returns_a_future_of_another_thread(use):
    inner = concurrent.futures.Future()
    result = use(lambda: inner)()
    assert find() is not None

    inner.set_result("done")

    assert result.result() == "done"
    assert find() is None


def test_a_generator(use):
    @use
    def function():
        got = yield find()
        return got

    generator = function()
    assert isinstance(next(generator), vcr.Cassette)
    with pytest.raises(StopIteration) as stop:
        generator.send("sent")

    assert stop.value.value == "sent"
    assert find() is None


async def test_an_async_generator_and_one_that_is_closed_early(use):
    cleaned = []

    @use
    async def function():
        try:
            yield find()
            yield "more"
        finally:
            cleaned.append(find())

    generator = function()
    assert isinstance(await anext(generator), vcr.Cassette)
    await generator.aclose()

    assert len(cleaned) == 1
    assert isinstance(cleaned[0], vcr.Cassette)
    assert find() is None


def test_inject_gives_the_cassette_first(path):
    @vcr.use_cassette(path, inject=True)
    def function(cassette, fixture):
        return cassette, fixture, find()

    cassette, fixture, found = function("fixture")

    assert cassette is found
    assert fixture == "fixture"
    assert list(inspect.signature(function).parameters) == ["fixture"]


def test_inject_gives_the_cassette_behind_self(path):
    class Tests:
        @vcr.use_cassette(path, inject=True)
        def method(self, cassette, fixture):
            return self, cassette, fixture

    tests = Tests()
    itself, cassette, fixture = tests.method("fixture")

    assert itself is tests
    assert isinstance(cassette, vcr.Cassette)
    assert fixture == "fixture"


@pytest.mark.parametrize("cassette_outside", [True, False])
@pytest.mark.parametrize("native", [True, False])
def test_with_tornados_gen_test(use, cassette_outside, native):
    seen = []

    async def coroutine(self):
        await asyncio.sleep(0)
        seen.append(find())

    def generator(self):
        yield gen.moment
        seen.append(find())

    body = coroutine if native else generator
    decorated = use(gen_test(body)) if cassette_outside else gen_test(use(body))
    case = type("Case", (AsyncTestCase,), {"test": decorated})("test")

    result = case.run()

    assert result.wasSuccessful(), result.errors
    assert isinstance(seen[0], vcr.Cassette)
    assert find() is None


def test_marks_and_attributes_stay_whatever_the_order(use):
    @use
    @pytest.mark.filterwarnings("default")
    def below(): ...

    @pytest.mark.filterwarnings("default")
    @use
    def above(): ...

    assert [mark.name for mark in below.pytestmark] == ["filterwarnings"]
    assert [mark.name for mark in above.pytestmark] == ["filterwarnings"]


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_static_and_class_methods_in_either_order(path, kind, outside):
    use = vcr.use_cassette(path, inject=True)

    def static(cassette, fixture):
        return cassette, fixture

    def of_class(cls, cassette, fixture):
        return cassette, fixture

    function = static if kind is staticmethod else of_class

    class Tests:
        test = use(kind(function)) if outside else kind(use(function))

    for owner in (Tests, Tests()):
        cassette, fixture = owner.test("fixture")
        assert isinstance(cassette, vcr.Cassette)
        assert fixture == "fixture"


def test_a_class_is_refused_because_its_methods_would_have_no_cassette(use):
    with pytest.raises(
        TypeError, match=r"decorates functions, not .*Tests.*: decorate each method"
    ):

        @use
        class Tests:
            pass


def test_a_function_without_an_argument_to_inject_is_refused_when_it_is_decorated(path):
    def function():
        pass

    with pytest.raises(TypeError, match=r"inject=True .*function.* no argument"):
        vcr.use_cassette(path, inject=True)(function)


def test_forgotten_parentheses_are_told_when_the_function_is_decorated():
    with pytest.raises(TypeError, match=r"needs the path of a cassette.*not <function"):

        @vcr.use_cassette
        def function():
            pass


def test_an_empty_path_is_refused():
    with pytest.raises(vcr.VCRError, match="path of a cassette must not be empty"):
        vcr.Cassette("")


def test_calls_made_before_the_loop_runs_are_recorded_and_replayed(path):
    from tornado import gen, ioloop

    from tchannel import TChannel

    @gen.coroutine
    def call(mode, hostport):
        channel = TChannel("client")
        with vcr.use_cassette(path, mode):
            response = yield channel.raw("service", "echo", b"x", hostport=hostport)
        yield channel.close()
        return response.body

    loop = ioloop.IOLoop(make_current=True)
    server = TChannel("server", hostport="127.0.0.1:0")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    try:
        for mode in ("all", "none"):
            future = call(mode, server.hostport)  # its first step, as pytest-tornado runs it
            assert loop.run_sync(lambda future=future: future) == b"x"
        loop.run_sync(server.close)
    finally:
        loop.close(all_fds=True)


@pytest.mark.parametrize(
    ("module", "instead"),
    [
        ("config", "use_cassette"),
        ("patch", r"tchannel\.interceptors"),
        ("server", "without a proxy"),
        ("types", "Interaction"),
        ("yaml", r"vcr\.use_cassette"),
    ],
)
def test_the_insides_of_the_old_vcr_say_what_to_write_instead(module, instead):
    with pytest.raises(ImportError, match=instead):
        importlib.import_module(f"tchannel.testing.vcr.{module}")
