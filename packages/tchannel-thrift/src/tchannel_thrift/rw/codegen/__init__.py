"""Generated Python: the classes of a module, and their encoders, decoders and constructors."""

from .record import ExceptionRecord, Record
from .surface import (
    RESERVED_FIELD_NAMES,
    RESERVED_FUNCTION_NAMES,
    build_enum,
    build_service,
    build_struct,
    finish_struct,
)

__all__ = [
    "RESERVED_FIELD_NAMES",
    "RESERVED_FUNCTION_NAMES",
    "ExceptionRecord",
    "Record",
    "build_enum",
    "build_service",
    "build_struct",
    "finish_struct",
]
