"""What of examples/ is more than a demo: front ends, a scheme that is installed, tests with recordings."""

import asyncio
import importlib.util
import os
import subprocess
import sys

import httpx
import pytest
import tornado.httpclient
import tornado.httpserver
import tornado.testing

from tchannel import TChannel
from tchannel.errors import BUSY, TIMEOUT, UNEXPECTED_ERROR
from tchannel.testing import FakeService


@pytest.fixture
def load(root):
    """A function that imports a program of examples/."""

    def load_one(name):
        path = root / "examples" / name
        spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_one


def served_by(service):
    """The key-value service as the front ends call it."""
    service.on("get", "json").calls(
        lambda request: {"value": f"that of {request.body['key']}"},
    )
    service.on("set", "json").answers({})


class TestFastAPI:
    @pytest.fixture
    def ask(self, load, monkeypatch):
        """A function that makes one HTTP request to the front end in front of a service."""

        async def ask_one(prepare, method, path, **kwargs):
            async with FakeService("keyvalue") as service:
                prepare(service)
                monkeypatch.setenv("SERVICE", service.hostport)
                app = load("frontends/fastapi_app.py").app
                transport = httpx.ASGITransport(app)
                async with (
                    app.router.lifespan_context(app),
                    httpx.AsyncClient(transport=transport, base_url="http://front") as client,
                ):
                    return await client.request(method, path, **kwargs)

        return lambda *args, **kwargs: asyncio.run(ask_one(*args, **kwargs))

    def test_a_value_is_got_and_set(self, ask):
        assert ask(served_by, "GET", "/values/a").json() == {"value": "that of a"}
        assert ask(served_by, "PUT", "/values/a", json=1).status_code == 204

    @pytest.mark.parametrize(
        ("code", "status"), [(BUSY, 503), (TIMEOUT, 504), (UNEXPECTED_ERROR, 502)]
    )
    def test_a_failed_call_is_the_status_that_it_means(self, ask, code, status):
        def fails(service):
            for _ in range(5):
                service.on("get", "json").fails(code)

        answer = ask(fails, "GET", "/values/a")

        assert answer.status_code == status
        assert "127.0.0.1" not in answer.text


class TestTornado:
    @pytest.fixture
    def ask(self, load):
        """A function that makes one HTTP request to the front end in front of a service."""

        async def ask_one(prepare, path, **kwargs):
            sock, port = tornado.testing.bind_unused_port()
            async with (
                FakeService("keyvalue") as service,
                TChannel("front-end", known_peers=[service.hostport]) as channel,
            ):
                prepare(service)
                server = tornado.httpserver.HTTPServer(
                    load("frontends/tornado_app.py").make_app(channel)
                )
                server.add_socket(sock)
                client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
                try:
                    return await client.fetch(
                        f"http://127.0.0.1:{port}{path}", raise_error=False, **kwargs
                    )
                finally:
                    client.close()
                    server.stop()
                    await server.close_all_connections()

        return lambda *args, **kwargs: asyncio.run(ask_one(*args, **kwargs))

    def test_a_value_is_got_and_set(self, ask):
        assert ask(served_by, "/values/a").body == b'{"value": "that of a"}'
        assert ask(served_by, "/values/a", method="PUT", body=b"1").code == 204

    def test_a_body_that_is_no_json_is_refused(self, ask):
        assert ask(served_by, "/values/a", method="PUT", body=b"{").code == 400

    def test_a_failed_call_is_the_status_that_it_means(self, ask):
        answer = ask(lambda service: service.on("get", "json").fails(TIMEOUT), "/values/a")

        assert answer.code == 504


def run(*argv, **environment):
    return subprocess.run(
        [sys.executable, *map(str, argv)],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        env={**os.environ, **environment},
    )


def test_an_arg_scheme_that_is_installed_is_found_by_its_name(root, tmp_path):
    pytest.importorskip("msgspec", reason="has no wheel for this Python")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    done = run(*install, "--target", tmp_path, root / "examples" / "scheme")
    assert done.returncode == 0, done.stderr

    done = run("-W", "error", root / "examples/scheme/try_it.py", PYTHONPATH=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "b'\\x00\\xff'" in done.stdout
    assert "refused" in done.stdout


def test_tests_with_recordings_pass_without_the_service(root):
    done = run("-m", "pytest", "-q", "-n", "0", "-p", "no:randomly", root / "examples" / "recorded")

    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
