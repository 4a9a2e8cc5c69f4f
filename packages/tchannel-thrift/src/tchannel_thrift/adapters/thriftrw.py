"""Services that the real thriftrw loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from ..method import Codec
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

    def _codec(self, surface: Any) -> Codec:
        codec = super()._codec(surface)
        name = surface.request.__name__
        return replace(
            codec,
            new_args=_named(codec.new_args, name),
            dump_args=_named(codec.dump_args, name),
        )

    def _loader(self, module: Any, cls: Any) -> Callable[[bytes], Any]:
        loads = module.loads

        def load(payload: bytes) -> Any:
            # Walked over first: thriftrw 1.9.0 loops for ever on a negative length in a field that
            # it does not know, and crashes the process on deep nesting.
            BinaryReader(payload).skip(ttype.STRUCT)
            return loads(cls, payload)

        return load


def _named(function: Callable[..., Any], struct: str) -> Callable[..., Any]:
    """Let errors name the struct, as thriftrw does for some of them only."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            if struct in str(error):
                raise
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{struct} is invalid: {error}") from None

    return call
