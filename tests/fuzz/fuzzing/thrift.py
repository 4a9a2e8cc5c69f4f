"""The Thrift engine on payloads, envelopes and IDL of strangers."""

import functools
import time
from typing import Any

from fuzzing.choices import Choices

from tchannel_testing import data as testing_data
from tchannel_thrift import rw
from tchannel_thrift.rw.codegen.decoder import loader_of
from tchannel_thrift.rw.errors import ThriftError

__all__ = ["envelopes", "idl", "payloads"]

_DEPTH = 20

#: What reading a payload may raise by its documentation.
_REFUSALS = (ThriftError, TypeError, ValueError)

_NESTED = """
struct Empty {}
struct Node { 1: optional Node next 2: optional list<Node> children 3: optional map<i32, Node> by }
union Choice { 1: i32 number 2: string text 3: Node node 4: list<Choice> choices }
struct Flags { 1: optional set<bool> flags 2: optional list<Empty> nothing 3: required byte last }
struct Keyed { 1: optional map<list<i32>, set<binary>> odd 2: optional map<Empty, double> empty }
"""


@functools.cache
def _module() -> Any:
    return rw.Loader().load(testing_data.IDL)


@functools.cache
def _structs() -> list[Any]:
    nested = rw.Loader().loads("nested", _NESTED)
    service = _module().EverythingService
    functions = [service.echo, service.echoShape, service.get, service.nextI32]
    return [
        *(_module().Everything, _module().Shape, _module().NotFound, _module().Point),
        *(nested.Node, nested.Choice, nested.Flags, nested.Keyed),
        *(part for function in functions for part in (function.request, function.response)),
    ]


def payloads(data: bytes) -> None:
    """The generated reader and the careful one say the same, and what was read can be sent on."""
    choices = Choices(data)
    struct = choices.one_of(_structs())
    payload = choices.rest()
    fast = _outcome(loader_of(struct.type_spec), payload)
    slow = _outcome(_careful(struct.type_spec), payload)
    if isinstance(fast, Exception) and isinstance(slow, Exception):
        return  # of several faults in one payload each may find another
    assert repr(fast) == repr(slow), f"{fast!r} is not {slow!r}"
    try:
        again = _module().dumps(fast)
    except (TypeError, ValueError):
        # A union without a value may be read, never sent.
        return
    assert repr(_outcome(loader_of(struct.type_spec), again)) == repr(fast)


def _careful(spec: Any) -> Any:
    """What the generated reader turns to where something is odd, from the start."""
    return lambda payload, depth: spec.resume(payload, 0, 0, [None] * len(spec.fields), depth)[0]


def _outcome(load: Any, payload: bytes) -> Any:
    try:
        return load(payload, _DEPTH)
    except _REFUSALS as error:
        return error
    except RecursionError:
        return ThriftError("too deep")


def envelopes(data: bytes) -> None:
    """A message within its envelope, strict or not, is read or refused."""
    try:
        message = _module().loads.message(_module().EverythingService, data)
    except _REFUSALS as error:
        str(error)
        return
    repr(message)


#: Seconds; a text of a few KB that takes longer is a finding of its own. Processor time: the machine
#: may be busy.
_LONGEST = 3.0


def idl(data: bytes) -> None:
    """A file is compiled or refused, soon, and the error tells a place that exists."""
    choices = Choices(data)
    strict = choices.flag()
    text = choices.rest().decode("utf-8", "replace")
    began = time.process_time()
    try:
        module = rw.Loader(strict=strict).loads("fuzzed", text)
    except (rw.ThriftParserError, rw.ThriftCompilerError) as error:
        assert error.line is None or error.line <= text.count("\n") + 1
        assert len(str(error)) < 2000
    else:
        for struct in getattr(module, "__structs__", ()):
            repr(struct)
    assert time.process_time() - began < _LONGEST
