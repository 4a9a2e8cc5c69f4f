"""Loops that start late, end early, come twice; threads and forked processes."""

import asyncio
import subprocess
import sys
import textwrap
import threading

import pytest


def run(code, *options):
    """Run a script in a process of its own, with warnings as errors; return what it prints."""
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *options, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Warning" not in result.stderr, result.stderr
    assert "never retrieved" not in result.stderr, result.stderr
    return result.stdout


def test_a_tornado_service_listens_before_its_loop_runs():
    printed = run("""
        from tornado import gen, ioloop
        from tchannel import TChannel

        server = TChannel("server", hostport="127.0.0.1:0")

        @server.raw.register
        @gen.coroutine
        def echo(request):
            yield gen.sleep(0.001)
            raise gen.Return(request.body)

        server.listen()
        assert server.port

        @gen.coroutine
        def main():
            client = TChannel("client")
            response = yield client.raw("server", "echo", "hello", hostport=server.hostport)
            print(response.body)
            yield client.close()
            yield server.close()

        ioloop.IOLoop.current().run_sync(main)
        ioloop.IOLoop.current().close(all_fds=True)
    """)
    assert printed == "b'hello'\n"


def test_a_call_made_before_the_loop_runs_begins_with_it():
    printed = run("""
        from tornado import ioloop
        from tchannel import TChannel
        from tchannel.lowlevel import inside

        channel = TChannel("one", hostport="127.0.0.1:0")
        channel.raw.register("echo", lambda request: request.body)
        channel.listen()
        future = channel.raw("one", "echo", "early", hostport=channel.hostport)

        async def main():
            print((await future).body)
            await channel.close()

        ioloop.IOLoop.current().run_sync(main)
        ioloop.IOLoop.current().close(all_fds=True)
    """)
    assert printed == "b'early'\n"


@pytest.mark.parametrize("use", ["channel.use_loop()", "channel.listen()"])
@pytest.mark.parametrize("runner", ["asyncio.run", "uvloop.run"])
def test_a_channel_of_the_module_serves_one_run_after_the_other(runner, use):
    if runner == "uvloop.run":
        pytest.importorskip("uvloop")
    printed = run(f"""
        import asyncio
        try:
            import uvloop
        except ImportError:
            pass
        from tchannel import TChannel
        from tchannel.lowlevel import inside

        channel = TChannel("one", hostport="127.0.0.1:0")
        channel.raw.register("echo", lambda request: request.body)
        channel.listen()  # while no loop runs
        hostport = channel.hostport

        async def main():
            client = TChannel("client")
            {use}
            print((await client.raw("one", "echo", "x", hostport=hostport)).body)
            await client.close()
            # What is connected to the channel goes with its last client.
            while inside(channel).connections:
                await asyncio.sleep(0.001)

        {runner}(main())
        {runner}(main())
        async def end():
            await channel.close()
        {runner}(end())
    """)
    assert printed == "b'x'\n" * 2


def test_a_listener_that_nobody_reads_says_so_once():
    printed = run("""
        import logging, sys, threading
        from tchannel import TChannel

        said = threading.Event()
        class Handler(logging.StreamHandler):
            def emit(self, record):
                super().emit(record)
                said.set()
        logging.basicConfig(handlers=[Handler(sys.stdout)], format="%(message)s")

        channel = TChannel("lonely", hostport="127.0.0.1:0")
        channel.listen()
        assert said.wait(30)
        channel.close()
        from tornado.ioloop import IOLoop
        IOLoop.current().close(all_fds=True)
    """)
    assert printed.count("call listen() inside main()".capitalize().replace("call", "Call")) == 1


def test_a_forked_child_starts_afresh_and_the_parent_hears_on():
    printed = run("""
        import asyncio, os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, on 3.12 and newer
        from tchannel import TChannel
        from tchannel.lowlevel import inside

        async def main():
            server = TChannel("server", hostport="127.0.0.1:0")
            server.raw.register("pid", lambda request: str(os.getpid()))
            server.listen()
            client = TChannel("client", known_peers=[server.hostport])
            assert int((await client.raw("server", "pid")).body) == os.getpid()
            return server, client

        loop = asyncio.new_event_loop()
        server, client = loop.run_until_complete(main())
        child = os.fork()
        if child == 0:
            code = 1
            try:
                assert not inside(client).connections
                assert client.peers.hosts == [server.hostport]
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        for _ in range(3):
            assert loop.run_until_complete(client.raw("server", "pid")).body
        loop.run_until_complete(asyncio.gather(client.close(), server.close()))
        loop.close()
        print("ok")
    """)
    assert printed == "ok\n"


def test_a_channel_made_before_a_fork_works_in_parent_and_child():
    printed = run("""
        import asyncio, os
        from tchannel import TChannel

        channel = TChannel("one", hostport="127.0.0.1:0")
        channel.raw.register("pid", lambda request: str(os.getpid()))

        async def main():
            channel.listen()
            body = (await channel.raw("one", "pid", hostport=channel.hostport)).body
            assert int(body) == os.getpid()
            await channel.close()

        child = os.fork()
        asyncio.run(main())
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print("ok")
    """)
    assert printed == "ok\n"


def test_a_forked_child_serves_where_its_parent_listened_once_it_listens_too():
    printed = run("""
        import asyncio, os
        from tchannel import TChannel

        channel = TChannel("one", hostport="127.0.0.1:0")
        channel.raw.register("pid", lambda request: str(os.getpid()))

        async def parent():
            channel.listen()

        async def child():
            channel.listen()
            async with asyncio.timeout(20):
                async with TChannel("client") as client:
                    body = (await client.raw("one", "pid", hostport=channel.hostport)).body
                    assert int(body) == os.getpid()
            await channel.close()

        asyncio.run(parent())
        pid = os.fork()
        if pid == 0:
            asyncio.run(child())
        else:
            assert os.waitpid(pid, 0)[1] == 0
            channel.close()
            print("ok")
    """)
    assert printed == "ok\n"


async def test_a_use_from_another_thread_raises_at_once_and_names_the_sync_client(tcp):
    channel = tcp("channel", hostport="127.0.0.1:0")
    channel.listen()
    failures = []

    def use():
        try:
            channel.raw("service", "endpoint", hostport="127.0.0.1:1")
        except RuntimeError as error:
            failures.append(str(error))

    thread = threading.Thread(target=use)
    thread.start()
    await asyncio.to_thread(thread.join)

    assert len(failures) == 1
    assert "tchannel.sync" in failures[0]


def test_importing_the_package_does_not_import_tornado_or_start_anything():
    printed = run("""
        import sys, threading
        import tchannel
        from tchannel import errors, retry, status
        print("tornado" in sys.modules, "asyncio" in sys.modules, threading.active_count())
    """)
    assert printed == "False False 1\n"


def test_the_top_level_names_are_what_users_import():
    printed = run("""
        from tchannel import *
        from tchannel import Request, Response, TChannel, schemes, errors, retry, status, glossary
        import tchannel, inspect
        inspect.getmembers(tchannel)
        assert not hasattr(tchannel, "no_such_name")
        print(TChannel.__name__, Request.__name__, Response.__name__)
    """)
    assert printed == "TChannel Request Response\n"


def test_it_imports_where_nothing_forks():
    script = """
        import concurrent.futures.thread, logging, os, random, tornado.ioloop
        del os.register_at_fork  # Windows has none
        import tchannel.sync
        tchannel.TChannel("client")
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
