"""Every module that users of tchannel-python import either works or says what to write instead."""

import importlib
import subprocess
import sys
import textwrap

import pytest

WORKS = {
    "tchannel": ["TChannel", "Request", "Response"],
    "tchannel.errors": ["TChannelError", "TimeoutError", "BadRequestError", "TIMEOUT"],
    "tchannel.retry": ["CONNECTION_ERROR", "DEFAULT", "DEFAULT_RETRY_LIMIT"],
    "tchannel.status": ["OK", "FAILED"],
    "tchannel.schemes": [
        "RAW",
        "JSON",
        "THRIFT",
        "DEFAULT",
        "DEFAULT_NAMES",
        "RawArgScheme",
        "JsonArgScheme",
    ],
    "tchannel.sync": ["TChannel"],
    "tchannel.sync.thrift": ["client_for"],
    "tchannel.sync.singleton": ["TChannel"],
    "tchannel.singleton": ["TChannel"],
    "tchannel.event": ["EventType", "EventHook", "EventEmitter", "EventRegistrar"],
    "tchannel.statsd": ["StatsdHook"],
    "tchannel.tracing": ["TRACING_KEY_PREFIX"],
    "tchannel.context": ["current_request"],
    "tchannel.transport": ["CALLER_NAME", "SCHEME", "SHARD_KEY", "RETRY_FLAGS"],
    "tchannel.glossary": ["DEFAULT_TIMEOUT", "MAX_MESSAGE_ID", "TCHANNEL_LANGUAGE"],
    "tchannel.request": ["Request", "TransportHeaders"],
    "tchannel.response": ["Response", "TransportHeaders"],
    "tchannel.net": ["local_ip"],
    "tchannel.tchannel": ["TChannel"],
}
REPLACED_MODULES = {
    "tchannel.tornado": r"use tchannel\.TChannel",
    "tchannel.tornado.stream": r"instead of tchannel\.tornado\.stream",
    "tchannel.tornado.dispatch": r"use tchannel\.TChannel",
    "tchannel.serializer": r"channel\.raw, channel\.json and channel\.thrift",
    "tchannel.serializer.json": r"channel\.raw, channel\.json and channel\.thrift",
    "tchannel.messages": "tchannel_wire",
    "tchannel.messages.call_request": "tchannel_wire",
    "tchannel.rw": "tchannel_wire",
    "tchannel.frame": r"tchannel_wire\.Frame",
    "tchannel.io": r"io\.BytesIO",
    "tchannel.peer_heap": r"channel\.peers",
    "tchannel.peer_strategy": "known_peers=",
    "tchannel.container": "heapq",
    "tchannel.container.heap": "heapq",
    "tchannel.deprecate": r"warnings\.warn",
    "tchannel.enum": r"enum\.Enum",
    "tchannel.zipkin": r"tchannel-observe\[otel\]",
    "tchannel.zipkin.zipkin_trace": "leave the hook out",
}
REPLACED_NAMES = {
    "tchannel.tracing": {
        "TracingContextProvider": r"tchannel\.context\.current_request\(\)",
        "TChannelOpenTracingClientInterceptor": r"tchannel_observe\.otel",
        "ClientTracer": r"tchannel_observe\.otel",
        "ServerTracer": r"tchannel_observe\.otel",
        "ZIPKIN_SPAN_FORMAT": r"tchannel_observe\.otel",
    },
    "tchannel.context": {
        "RequestContext": r"tchannel\.context\.current_request\(\)",
        "RequestContextProvider": r"tchannel\.context\.current_request\(\)",
        "get_current_context": r"tchannel\.context\.current_request\(\)",
    },
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in WORKS.items() for name in names]
)
def test_names_that_users_import_work(module: str, name: str) -> None:
    assert getattr(importlib.import_module(module), name) is not None


@pytest.mark.parametrize("module", REPLACED_MODULES)
def test_a_replaced_module_says_what_to_write_instead(module: str) -> None:
    with pytest.raises(ImportError, match=REPLACED_MODULES[module]):
        importlib.import_module(module)


@pytest.mark.parametrize("module", [name for name in REPLACED_MODULES if name.count(".") == 1])
def test_a_replaced_module_says_so_as_an_attribute_too(module: str) -> None:
    tchannel = importlib.import_module("tchannel")
    name = module.partition(".")[2]

    with pytest.raises(AttributeError, match=REPLACED_MODULES[module]):
        getattr(tchannel, name)
    assert not hasattr(tchannel, name)


def test_modules_are_attributes_without_a_word_of_import() -> None:
    """As after ``import tchannel`` alone: in a process that has imported nothing else."""
    code = """
        import tchannel
        for name in {names!r}:
            assert getattr(tchannel, name).__name__ == f"tchannel.{{name}}", name
            assert name in dir(tchannel)
        try:
            tchannel.no_such_name
        except AttributeError as error:
            assert str(error) == "module 'tchannel' has no attribute 'no_such_name'"
        """.format(names=[module.partition(".")[2] for module in WORKS if module.count(".") == 1])
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize(
    ("argument", "instead"),
    [("tracer", r"call\.tracing"), ("context_provider", r"current_request\(\)")],
)
def test_arguments_that_are_gone_say_what_became_of_them(argument: str, instead: str) -> None:
    from tchannel import TChannel, sync

    for channel in (TChannel, sync.TChannel):
        channel("name", **{argument: None})
        with pytest.raises(TypeError, match=f"{argument} is no argument any more.*{instead}"):
            channel("name", **{argument: object()})


def test_a_replaced_module_says_so_to_a_from_import_too() -> None:
    with pytest.raises(ImportError, match=r"use tchannel\.TChannel"):
        from tchannel import tornado  # noqa: F401 - importing it is the test


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in REPLACED_NAMES.items() for name in names],
)
def test_a_replaced_name_says_what_to_write_instead(module: str, name: str) -> None:
    with pytest.raises(ImportError, match=REPLACED_NAMES[module][name]):
        exec(f"from {module} import {name}", {})


@pytest.mark.parametrize("module", REPLACED_NAMES)
def test_other_names_are_missing_in_the_usual_way(module: str) -> None:
    assert not hasattr(importlib.import_module(module), "no_such_name")


def test_what_the_replacements_name_exists() -> None:
    interceptors = importlib.import_module("tchannel.interceptors")
    assert callable(interceptors.add_outgoing)
    assert callable(interceptors.add_incoming)
    assert callable(importlib.import_module("tchannel.context").current_request)
