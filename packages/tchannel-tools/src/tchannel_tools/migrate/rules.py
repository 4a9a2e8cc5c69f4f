"""The rules: what is looked for, why it needs a change, and what to write instead.

All that docs/migration.md says of names and behaviour, as far as it can be seen in a syntax tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["GONE_NAMES", "MODULES", "RULES", "TORNADO", "Finding", "Rule"]

PAGE: Final = "docs/migration.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is looked for.

    Attributes:
        name: Its name, in lower case with hyphens.
        level: ``change`` where the code fails or does something else, ``look`` where that depends on
            what the code expects.
        text: Why, and what to write instead.
        section: The section of the migration page.

    """

    name: str
    level: Literal["change", "look"]
    text: str
    section: str = "what-is-gone"

    @property
    def link(self) -> str:
        """Where the migration page tells of it."""
        return f"{PAGE}#{self.section}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that a rule found.

    Attributes:
        path: The file.
        line: The line, from 1 on.
        column: The column, from 1 on.
        rule: The rule.
        what: What stands there, in a few words.

    """

    path: str
    line: int
    column: int
    rule: Rule
    what: str


def _rules(*rules: Rule) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


RULES: Final = _rules(
    Rule("tornado-api", "change", "tchannel.tornado is gone: write tchannel.TChannel"),
    Rule("wire-modules", "change", "frames and messages are in tchannel_wire now"),
    Rule(
        "serializers", "change", "the arg schemes do it: channel.raw, channel.json, channel.thrift"
    ),
    Rule("peer-modules", "change", "peers are channel.peers, and known_peers= brings them"),
    Rule("helper-modules", "change", "use warnings and enum of the standard library"),
    Rule("thrift-insides", "change", "use the module that thrift.load returns"),
    Rule("vcr-insides", "change", "use vcr.use_cassette; the rest is inside of tchannel-testing"),
    Rule("opentracing", "change", "spans are made by OpenTelemetry: tchannel-observe[otel]"),
    Rule("zipkin", "change", "tchannel.zipkin had no effect since 0.27: leave it out"),
    Rule(
        "stack-context",
        "change",
        "StackContext is gone: tchannel.context.current_request() gives the request being served",
    ),
    Rule(
        "thriftrw",
        "change",
        "thriftrw cannot be built on Python 3.12 and newer: from tchannel_thrift import rw as thriftrw",
        "coming-from-tchannel-python",
    ),
    Rule(
        "threadloop",
        "change",
        "tchannel.sync has a thread of its own: leave threadloop out",
        "coming-from-tchannel-python",
    ),
    Rule(
        "old-insides",
        "change",
        "the channel of the old API is gone: use the public names of TChannel",
    ),
    Rule(
        "tornado-4",
        "change",
        "gone from Tornado 6",
        "what-is-gone",
    ),
    Rule("tracing-arguments", "change", "this argument is gone: span ids travel by themselves"),
    Rule(
        "milliseconds",
        "look",
        "timeouts are seconds, as every release took them; the old documents said milliseconds",
        "what-is-better-and-may-be-noticed",
    ),
    Rule(
        "raw-text",
        "change",
        "raw bodies and headers are bytes: compare with bytes, or decode() first",
        "what-stays-different",
    ),
    Rule(
        "json-headers",
        "look",
        "in hooks request.headers are the application headers; those of the protocol are "
        "request.transport.headers",
        "what-hooks-see",
    ),
    Rule(
        "bytes-endpoint",
        "change",
        "request.endpoint is a str on both sides",
        "what-hooks-see",
    ),
    Rule(
        "transport-none",
        "look",
        "transport is never None: there are empty headers",
        "what-stays-different",
    ),
    Rule(
        "trace-default",
        "look",
        "calls are traced only with trace=True; 2.1 traced by default",
        "what-hooks-see",
    ),
    Rule(
        "unexpected-retried",
        "look",
        "a handler's unexpected error is never retried: it may have run",
        "what-is-better-and-may-be-noticed",
    ),
    Rule(
        "fatal-from-handler",
        "change",
        "a FatalProtocolError of a handler is answered as an unexpected error",
        "what-stays-different",
    ),
    Rule(
        "hostport-retries",
        "look",
        "hostport= is one attempt unless retry_limit= is given",
        "what-is-better-and-may-be-noticed",
    ),
    Rule(
        "before-the-loop",
        "look",
        "made while no loop runs, it begins only when the loop does; inside main() it begins at once",
        "worth-knowing",
    ),
    Rule(
        "sync-instance",
        "look",
        "tchannel.sync.TChannel is no tchannel.TChannel: it has one, .channel",
        "what-stays-different",
    ),
    Rule(
        "sync-register",
        "change",
        "a sync channel only calls: registering raises NotImplementedError",
        "what-is-better-and-may-be-noticed",
    ),
    Rule(
        "python-2",
        "change",
        "this is no Python 3",
        "what-is-gone",
    ),
    Rule(
        "requirement",
        "change",
        "it goes",
        "coming-from-tchannel-python",
    ),
    Rule(
        "python-version",
        "change",
        "Python 3.11 and newer are supported",
        "what-is-gone",
    ),
)

# Module -> the rule that tells of it; its submodules too.
MODULES: Final = {
    "tchannel.tornado": "tornado-api",
    "tchannel.messages": "wire-modules",
    "tchannel.frame": "wire-modules",
    "tchannel.rw": "wire-modules",
    "tchannel.io": "wire-modules",
    "tchannel.serializer": "serializers",
    "tchannel.thrift.serializer": "thrift-insides",
    "tchannel.thrift.reflection": "thrift-insides",
    "tchannel.peer_heap": "peer-modules",
    "tchannel.peer_strategy": "peer-modules",
    "tchannel.container": "peer-modules",
    "tchannel.deprecate": "helper-modules",
    "tchannel.enum": "helper-modules",
    "tchannel.zipkin": "zipkin",
    "tchannel.testing.vcr.config": "vcr-insides",
    "tchannel.testing.vcr.patch": "vcr-insides",
    "tchannel.testing.vcr.server": "vcr-insides",
    "tchannel.testing.vcr.types": "vcr-insides",
    "tchannel.testing.vcr.yaml": "vcr-insides",
    "thriftrw": "thriftrw",
    "threadloop": "threadloop",
    "opentracing_instrumentation": "opentracing",
    "toro": "tornado-4",
    "tornado.stack_context": "tornado-4",
}

# Names of modules that are still there, but not these.
GONE_NAMES: Final = {
    "tchannel.tracing.TracingContextProvider": "opentracing",
    "tchannel.tracing.TChannelOpenTracingClientInterceptor": "opentracing",
    "tchannel.tracing.ClientTracer": "opentracing",
    "tchannel.tracing.ServerTracer": "opentracing",
    "tchannel.context.get_current_context": "stack-context",
    "tchannel.context.RequestContext": "stack-context",
    "tchannel.context.RequestContextProvider": "stack-context",
}

# Names of Tornado 4 that Tornado 6 has not, and what to write instead.
TORNADO: Final = {
    "tornado.gen.engine": "gen.coroutine",
    "tornado.gen.Task": "a coroutine",
    "tornado.gen.Callback": "a Future",
    "tornado.gen.Wait": "a Future",
    "tornado.gen.WaitAll": "gen.multi",
    "tornado.gen.YieldPoint": "a Future",
    "tornado.concurrent.TracebackFuture": "asyncio.Future",
    "tornado.concurrent.return_future": "a coroutine",
    "tornado.web.asynchronous": "an async def method",
    "tornado.ioloop.IOLoop.instance": "IOLoop.current()",
    "tornado.testing.AsyncTestCase.get_new_ioloop": "a fixture of pytest-asyncio",
}
