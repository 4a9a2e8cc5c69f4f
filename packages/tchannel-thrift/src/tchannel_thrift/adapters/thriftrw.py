"""Services that the real thriftrw loaded."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..rw.protocol.binary import BinaryReader
from ..rw.wire import ttype
from .engine import EngineService

__all__ = ["ThriftRWService"]


class ThriftRWService(EngineService):
    """A service that thriftrw loaded.

    Args:
        service_class: The class of the service in its module.

    """

    def __init__(self, service_class: Any) -> None:
        super().__init__(service_class)
        self.unknown_exception = import_module("thriftrw.errors").UnknownExceptionError

    def _loader(self, module: Any, cls: Any) -> Callable[[bytes], Any]:
        loads = module.loads

        def load(payload: bytes) -> Any:
            # Walked over first: thriftrw 1.9.0 loops for ever on a negative length in a field that
            # it does not know, and crashes the process on deep nesting.
            BinaryReader(payload).skip(ttype.STRUCT)
            return loads(cls, payload)

        return load
