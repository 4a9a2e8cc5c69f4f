"""What lists, sets and maps share."""

from __future__ import annotations

from ..errors import ThriftProtocolError
from ..wire import ttype
from .base import TypeSpec


def check_element_types(spec: TypeSpec, expected: tuple[int, ...], got: tuple[int, ...]) -> None:
    """Raise ThriftProtocolError where a payload's container holds other types than the IDL says.

    thriftrw reads the elements as what it expects, whatever they are.
    """
    if expected != got:
        names = " and ".join(ttype.name_of(code) for code in got)
        raise ThriftProtocolError(
            f'Expected a "{spec.name}" but the payload has a container of {names}.'
        )
