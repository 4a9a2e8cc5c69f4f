"""``dumps`` and ``loads`` of a generated module."""

from __future__ import annotations

import types
from typing import Protocol, TypeVar

from ..codegen.decoder import Loader, loader_of
from ..codegen.encoder import UNFIT_ERRORS, Dumper, dumper_of
from ..codegen.warmup import WarmUp, cold_dumper, cold_loader
from ..errors import ThriftProtocolError, UnknownExceptionError
from ..protocol.binary import BinaryProtocol, BinaryReader, BinaryWriter
from ..spec import FunctionArgsSpec, FunctionResultSpec, ServiceSpec, StructTypeSpec
from ..spec.primitive import check_range
from ..spec.struct import too_deep, write_struct
from ..wire import Message, mtype
from .application import read_application_exception

_T = TypeVar("_T")


class Dumps(Protocol):
    """The type of a generated module's ``dumps``."""

    def __call__(self, obj: object) -> bytes:
        """Serialize an instance of a generated class."""
        ...

    def message(self, obj: object, seqid: int = 0) -> bytes:
        """Serialize a request or response within an envelope."""
        ...


class Loads(Protocol):
    """The type of a generated module's ``loads``."""

    def __call__(self, cls: type[_T], payload: bytes | bytearray | memoryview) -> _T:
        """Deserialize an instance of a generated class."""
        ...

    def message(self, service: object, payload: bytes | bytearray | memoryview) -> Message:
        """Deserialize a request or response within an envelope."""
        ...


def make_dumps(module: types.ModuleType) -> Dumps:
    """The ``dumps`` of a module."""
    # By class; a dict is asked in half the time that an attribute of ever other classes takes.
    dumpers: dict[type[object], Dumper] = {}
    warm_up = WarmUp()

    def dumper_for(cls: type[object]) -> Dumper:
        spec = _spec_of(cls)
        if not _is_own(cls, module):
            return dumper_of(spec)
        if not warm_up.is_over(cls):
            return cold_dumper(spec)
        dumper = dumpers[cls] = dumper_of(spec)
        return dumper

    def dumps(obj: object) -> bytes:
        """Serialize an instance of a generated class with the Thrift Binary Protocol.

        Args:
            obj: A struct, union, exception, request or response.

        Raises:
            AttributeError: If ``obj`` is not of a generated class.
            TypeError: If a value is not of the type in the IDL; names struct and field.
            ValueError: If a value is out of range (OutOfRangeError).

        """
        try:
            dump = dumpers[obj.__class__]
        except KeyError:
            dump = dumper_for(obj.__class__)
        try:
            return dump(obj)
        except UNFIT_ERRORS:
            return write_struct(_spec_of(obj.__class__), obj)

    def message(obj: object, seqid: int = 0) -> bytes:
        """Serialize a request or response within the envelope that Apache Thrift uses.

        Args:
            obj: A request or response; this decides the message type.
            seqid: Number that pairs a response with its request; signed 32 bits. Default 0.

        Raises:
            TypeError: If ``obj`` is neither request nor response, or holds a wrong value.
            ValueError: If ``seqid`` or a value is out of range (OutOfRangeError).

        """
        spec = getattr(type(obj), "type_spec", None)
        if isinstance(spec, FunctionArgsSpec) and spec.function is not None:
            message_type = mtype.ONEWAY if spec.function.oneway else mtype.CALL
        elif isinstance(spec, FunctionResultSpec) and spec.function is not None:
            message_type = mtype.REPLY
        else:
            raise TypeError("Only function request or response types may be wrapped in messages.")
        if not isinstance(seqid, int):
            raise TypeError(f"seqid must be an int, not {seqid!r:.200}")
        check_range(seqid, 32)
        writer = BinaryWriter()
        writer.write_message_begin(spec.function.name.encode(), message_type, seqid)
        return writer.getvalue() + dumps(obj)

    dumps.message = message  # type: ignore[attr-defined]  # a function with an attribute
    return dumps  # type: ignore[return-value]  # mypy does not see the attribute


def make_loads(module: types.ModuleType, protocol: BinaryProtocol) -> Loads:
    """The ``loads`` of a module; ``protocol`` has the limits."""
    depth, limits = protocol.max_depth - 1, protocol.limits
    loaders: dict[type[object], Loader] = {}
    warm_up = WarmUp()

    def loader_for(cls: type[object]) -> Loader:
        spec = _spec_of(cls)
        if not _is_own(cls, module):
            return loader_of(spec, limits)
        if not warm_up.is_over(cls):
            return cold_loader(spec, limits)
        loader = loaders[cls] = loader_of(spec, limits)
        return loader

    def loads(cls: type[_T], payload: bytes | bytearray | memoryview) -> _T:
        """Deserialize an instance of a generated class from the Thrift Binary Protocol.

        Args:
            cls: A struct, union, exception, request or response class.
            payload: The bytes. What follows the instance is ignored.

        Raises:
            AttributeError: If ``cls`` is not a generated class.
            ThriftProtocolError: If the payload is malformed, nested too deeply, or stands for too
                many objects or too much memory; EndOfInputError if it ends early.
            UnknownExceptionError: If a response holds an exception that is not declared.
            TypeError: If a required field is missing, or ``payload`` is not bytes.
            ValueError: If a string is not UTF-8 (UnicodeDecodeError).

        """
        if payload.__class__ is not bytes:
            payload = _as_bytes(payload)
        try:
            load = loaders[cls]
        except KeyError:
            load = loader_for(cls)
        try:
            return load(payload, depth)  # type: ignore[no-any-return]  # of ``cls``
        except RecursionError:
            raise too_deep() from None

    def message(service: object, payload: bytes | bytearray | memoryview) -> Message:
        """Deserialize a request or response within an envelope, strict or not.

        Args:
            service: The service class.
            payload: The bytes.

        Raises:
            UnknownExceptionError: If the message is an EXCEPTION; ``thrift_response`` is the
                Message, whose body is the decoded TApplicationException.
            ThriftProtocolError: If the service has no such function, or the payload is malformed.
            ValueError: If the message type is unknown.
            TypeError: As ``loads``.

        """
        service_spec = getattr(service, "service_spec", None)
        if not isinstance(service_spec, ServiceSpec):
            raise AttributeError(f"{service!r:.200} is not a service class: it has no service_spec")
        data = _as_bytes(payload)
        reader = BinaryReader(data, 0, depth)
        name, message_type, seqid = reader.read_message_begin()
        if message_type == mtype.EXCEPTION:
            body = read_application_exception(reader)
            raise UnknownExceptionError(
                "Received an exception message.", Message(name, seqid, message_type, body)
            )
        if message_type not in mtype.MESSAGE_TYPES:
            raise ValueError(f"Unknown message type {message_type}")
        function = service_spec.lookup(name)
        shown = name.decode("utf-8", "replace")
        if function is None:
            raise ThriftProtocolError(f'Unknown method "{shown:.200}" in {service_spec.name}')
        if message_type != mtype.REPLY:
            cls = function.args_spec.surface
        elif function.result_spec is None:
            raise ThriftProtocolError(f'Got a reply to the oneway method "{shown:.200}"')
        else:
            cls = function.result_spec.surface
        return Message(name, seqid, message_type, loads(cls, data[reader.position :]))

    loads.message = message  # type: ignore[attr-defined]  # a function with an attribute
    return loads  # type: ignore[return-value]  # mypy does not see the attribute


def _spec_of(cls: type[object]) -> StructTypeSpec:
    spec = getattr(cls, "type_spec", None)
    if not isinstance(spec, StructTypeSpec):
        name = getattr(cls, "__name__", repr(cls))
        raise AttributeError(f"{name} is not a generated class: it has no type_spec")
    return spec


def _is_own(cls: type[object], module: types.ModuleType) -> bool:
    """Whether a module may remember a class: it must not keep those of others alive."""
    return cls.__dict__.get("__thrift_module__") is module


def _as_bytes(payload: object) -> bytes:
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    raise TypeError(f"payload must be bytes, not {type(payload).__name__}")
