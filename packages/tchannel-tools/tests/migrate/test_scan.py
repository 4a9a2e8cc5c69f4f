"""What code written for tchannel-python or thriftrw has to change."""

import textwrap

import pytest

from tchannel_tools.migrate.requirements import scan_requirements
from tchannel_tools.migrate.rules import RULES
from tchannel_tools.migrate.scan import scan

FOUND = [
    ("tornado-api", "from tchannel.tornado import TChannel"),
    ("tornado-api", "import tchannel.tornado.stream"),
    ("wire-modules", "from tchannel import messages"),
    ("wire-modules", "from tchannel.messages.common import PROTOCOL_VERSION"),
    ("serializers", "from tchannel.serializer.thrift import ThriftSerializer"),
    ("peer-modules", "from tchannel.peer_heap import PeerHeap"),
    ("helper-modules", "from tchannel.deprecate import deprecate"),
    ("thrift-insides", "from tchannel.thrift.reflection import get_service_methods"),
    ("vcr-insides", "import tchannel.testing.vcr.patch"),
    ("opentracing", "from tchannel.tracing import TracingContextProvider"),
    ("opentracing", "import opentracing_instrumentation"),
    ("zipkin", "from tchannel.zipkin.zipkin_trace import ZipkinTraceHook"),
    ("stack-context", "from tchannel.context import get_current_context"),
    ("stack-context", "from tchannel import context\ncontext.get_current_context()"),
    ("thriftrw", "import thriftrw"),
    ("thriftrw", "from thriftrw.loader import Loader"),
    ("threadloop", "from threadloop import ThreadLoop"),
    (
        "threadloop",
        "from tchannel.sync import TChannel\nchannel = TChannel('a', threadloop=loop, trace=True)",
    ),
    ("old-insides", "channel._dep_tchannel.peers"),
    ("tornado-4", "from tornado import gen\n@gen.engine\ndef f():\n    pass"),
    ("tornado-4", "from tornado.stack_context import NullContext"),
    ("tornado-4", "import tornado.ioloop\ntornado.ioloop.IOLoop.instance().start()"),
    ("tornado-4", "import toro"),
    (
        "tracing-arguments",
        "from tchannel import TChannel\nTChannel('a', trace=True, tracer=tracer)",
    ),
    (
        "tracing-arguments",
        "import tchannel\ntchannel.TChannel('a', trace=False, context_provider=x)",
    ),
    (
        "milliseconds",
        """
        import tchannel
        def f(channel):
            return channel.json("a", "b", timeout=1000)
        """,
    ),
    (
        "raw-text",
        """
        @channel.raw.register
        def echo(request):
            if request.body == "ping":
                return "pong"
        """,
    ),
    (
        "raw-text",
        """
        async def f(channel):
            response = await channel.raw("a", "b")
            assert response.body == "pong"
        """,
    ),
    (
        "raw-text",
        """
        @channel.register("raw", "echo")
        def echo(request):
            return request.headers != ""
        """,
    ),
    (
        "json-headers",
        """
        from tchannel.event import EventHook
        class Hook(EventHook):
            def before_send_request(self, request):
                request.headers["user"] = "me"
        """,
    ),
    ("bytes-endpoint", "def f(request):\n    return request.endpoint == b'get'"),
    ("transport-none", "import tchannel\ndef f(r):\n    return r.transport is None"),
    ("trace-default", "from tchannel import TChannel\nTChannel('a')"),
    (
        "unexpected-retried",
        """
        from tchannel import errors
        try:
            pass
        except (ValueError, errors.UnexpectedError):
            pass
        """,
    ),
    (
        "fatal-from-handler",
        """
        from tchannel.errors import FatalProtocolError
        @channel.json.register
        def f(request):
            raise FatalProtocolError("no")
        """,
    ),
    (
        "hostport-retries",
        """
        import tchannel
        def f(channel):
            return channel.raw("a", "b", hostport="h:1", retry_on="ct")
        """,
    ),
    ("before-the-loop", "import tchannel\nchannel.advertise(routers=[])"),
    (
        "sync-instance",
        "import tchannel\ndef f(x):\n    return isinstance(x, (int, tchannel.TChannel))",
    ),
    (
        "sync-register",
        """
        from tchannel.sync import TChannel
        channel = TChannel("a", trace=True)
        @channel.json.register
        def f(request):
            pass
        """,
    ),
    ("python-2", "print 'hello'"),
]


def rules_of(code):
    return {one.rule.name for one in scan(textwrap.dedent(code), "x.py")}


@pytest.mark.parametrize(("rule", "code"), FOUND)
def test_each_kind_is_found(rule, code):
    assert rules_of(code) == {rule}


def test_every_rule_is_tested():
    tested = {rule for rule, _ in FOUND} | {"requirement", "python-version"}

    assert tested == set(RULES)


@pytest.mark.parametrize(
    "code",
    [
        "from tchannel import TChannel\nTChannel('a', trace=False)",
        "import enum\nfrom myservice import messages, serializer, tornado",
        "from tchannel.context import current_request",
        "from tchannel.tracing import TRACING_KEY_PREFIX",
        "from tchannel import thrift\nservice = thrift.load('service.thrift', 'service')",
        "import tchannel\ndef f(channel):\n    return channel.json('a', 'b', timeout=1.5)",
        "@channel.json.register\ndef f(request):\n    return request.body == 'ping'",
        "@channel.raw.register\ndef f(request):\n    return request.body == b'ping'",
        "def f(request):\n    request.headers['user'] = 'me'",
        "requests.call(timeout=1000)",
        "from tornado import gen\n@gen.coroutine\ndef f():\n    pass",
        """
        import tchannel
        def f(channel):
            return channel.raw("a", "b", hostport="h:1", retry_on="c", retry_limit=2)
        """,
        "",
    ],
)
def test_what_goes_on_working_is_left_alone(code):
    assert rules_of(code) == set()


def test_a_finding_names_its_place_and_the_page():
    (one,) = scan("import os\nfrom tchannel import io\n", "folder/x.py")

    assert (one.path, one.line, one.column) == ("folder/x.py", 2, 1)
    assert one.what == "import of tchannel.io"
    assert one.rule.link == "docs/migration.md#what-is-gone"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("tchannel==2.1.0", "tchannel: tchannel-core"),
        ("tchannel[vcr]>=1,<2", "tchannel: tchannel-core"),
        ("    'thriftrw>=1.2',", "thriftrw: tchannel-thrift"),
        ('threadloop = ">=1"', "threadloop: nothing"),
        ("opentracing-instrumentation>3", "opentracing-instrumentation: nothing"),
        ("tornado>=4.3,<5", "tornado>=4.3,<5: tornado>=6.4"),
        ("'tornado==4.5.3'", "tornado==4.5.3: tornado>=6.4"),
        ("python_requires='>=3.8'", "Python >=3.8"),
        ('requires-python = ">=2.7"', "Python >=2.7"),
    ],
)
def test_requirements_that_go_are_found(line, what):
    (one,) = scan_requirements(f"# tchannel\n{line}\n", "requirements.txt")

    assert one.line == 2
    assert one.what.startswith(what)


@pytest.mark.parametrize(
    "line",
    [
        "tchannel-core>=0.1",
        "tchannel-thrift[thriftrw]",
        "tornado>=6.4",
        "python_requires='>=3.11'",
        "requires-python = '>=3.12'",
        "my-tchannel==1",
        "# thriftrw",
    ],
)
def test_requirements_that_stay_are_left_alone(line):
    assert scan_requirements(f"{line}\n", "requirements.txt") == []


def test_the_sections_that_are_linked_exist(request):
    page = (
        next(
            (parent / "docs/migration.md")
            for parent in request.path.parents
            if (parent / "docs/migration.md").is_file()
        )
        if any((p / "docs/migration.md").is_file() for p in request.path.parents)
        else None
    )
    if page is None:
        pytest.skip("the page is in the repository, not in the distribution")
    anchors = {
        line.lstrip("# ").lower().replace(",", "").replace(" ", "-")
        for line in page.read_text().splitlines()
        if line.startswith("#")
    }

    assert {rule.section for rule in RULES.values()} <= anchors
