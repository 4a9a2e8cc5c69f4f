# Made by `python -m tchannel_thrift stubs` from keyvalue.thrift. Changes will be lost.
# ruff: noqa
# pyright: reportIncompatibleVariableOverride=false, reportIncompatibleMethodOverride=false

import builtins as _builtins
from abc import abstractmethod as _abstractmethod
from collections.abc import Mapping as _Mapping
from typing import Any as _Any
from typing import ClassVar as _ClassVar
from typing import Protocol as _Protocol
from typing import Self as _Self
from typing import TypeAlias as _TypeAlias
from typing import overload as _overload
from tchannel import Request as _Request
from tchannel_thrift.handlers import Answer as _Answer
from tchannel_thrift import ThriftRequest as _ThriftRequest
from tchannel_thrift.rw import spec as _spec
from tchannel_thrift.rw.codegen import ExceptionRecord as _ExceptionRecord
from tchannel_thrift.rw.codegen import Record as _Record
from tchannel_thrift.rw.compile.serialization import Dumps as _Dumps
from tchannel_thrift.rw.compile.serialization import Loads as _Loads

class NotFound(_ExceptionRecord):
    key: str
    def __init__(self, key: str) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...

class Item(_Record):
    value: str
    expires: int | None
    def __init__(self, value: str, expires: int | None = None) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...

class _Health_ok_request(_Record):
    def __init__(self) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...
class _Health_ok_response(_Record):
    success: bool | None
    def __init__(self, *, success: bool) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...
class _Health_ok_function:
    name: _builtins.str
    request: _builtins.type[_Health_ok_request]
    response: _builtins.type[_Health_ok_response]
    spec: _spec.FunctionSpec
    def __call__(self) -> _ThriftRequest[bool]: ...
class Health:
    service_spec: _ClassVar[_spec.ServiceSpec]
    ok: _ClassVar[_Health_ok_function]
    # For checkers alone: what `channel.thrift.register` takes as the handlers.
    @_builtins.classmethod
    def __serve__(cls, handlers: HealthHandlers, /) -> None: ...
Health_ok_Request: _TypeAlias = _Request[_Health_ok_request, _builtins.dict[_builtins.str, _builtins.str]]
class HealthHandlers(_Protocol):
    @_abstractmethod
    def ok(self, request: _Request[_Health_ok_request, _builtins.dict[_builtins.str, _builtins.str]], /) -> _Answer[bool]: ...

class _KeyValue_getItem_request(_Record):
    key: str
    def __init__(self, key: str) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...
class _KeyValue_getItem_response(_Record):
    success: Item | None
    notFound: NotFound | None
    @_overload
    def __init__(self, *, success: Item, notFound: None = None) -> None: ...
    @_overload
    def __init__(self, *, success: None = None, notFound: NotFound) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...
class _KeyValue_getItem_function:
    name: _builtins.str
    request: _builtins.type[_KeyValue_getItem_request]
    response: _builtins.type[_KeyValue_getItem_response]
    spec: _spec.FunctionSpec
    def __call__(self, key: str) -> _ThriftRequest[Item]: ...
class _KeyValue_putItem_request(_Record):
    key: str
    item: Item
    def __init__(self, key: str, item: Item) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...
class _KeyValue_putItem_response(_Record):
    def __init__(self) -> None: ...
    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...
    @classmethod
    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...
class _KeyValue_putItem_function:
    name: _builtins.str
    request: _builtins.type[_KeyValue_putItem_request]
    response: _builtins.type[_KeyValue_putItem_response]
    spec: _spec.FunctionSpec
    def __call__(self, key: str, item: Item) -> _ThriftRequest[None]: ...
class KeyValue(Health):
    service_spec: _ClassVar[_spec.ServiceSpec]
    getItem: _ClassVar[_KeyValue_getItem_function]
    putItem: _ClassVar[_KeyValue_putItem_function]
    # For checkers alone: what `channel.thrift.register` takes as the handlers.
    @_builtins.classmethod
    def __serve__(cls, handlers: KeyValueHandlers, /) -> None: ...  # type: ignore[override]
KeyValue_getItem_Request: _TypeAlias = _Request[_KeyValue_getItem_request, _builtins.dict[_builtins.str, _builtins.str]]
KeyValue_putItem_Request: _TypeAlias = _Request[_KeyValue_putItem_request, _builtins.dict[_builtins.str, _builtins.str]]
class KeyValueHandlers(HealthHandlers, _Protocol):
    @_abstractmethod
    def getItem(self, request: _Request[_KeyValue_getItem_request, _builtins.dict[_builtins.str, _builtins.str]], /) -> _Answer[Item]: ...
    @_abstractmethod
    def putItem(self, request: _Request[_KeyValue_putItem_request, _builtins.dict[_builtins.str, _builtins.str]], /) -> _Answer[None]: ...

dumps: _Dumps
loads: _Loads
__types__: _builtins.tuple[_Any, ...]
__services__: _builtins.tuple[_Any, ...]
__includes__: _builtins.tuple[_Any, ...]
__constants__: _builtins.dict[_builtins.str, _Any]
__thrift_source__: _builtins.str
