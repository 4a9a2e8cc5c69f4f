"""Values of Apache's generated code: dicts made into structs, and the field that does not fit.

A type is what ``thrift_spec`` says: a number of Apache's ``TType``, and what it needs besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..rw.wire import ttype
from .coercion import check_names

__all__ = ["coerce", "invalid"]

_BITS: Final = {ttype.BYTE: 8, ttype.I16: 16, ttype.I32: 32, ttype.I64: 64}


# Values are what users hand over, and generated classes have no types to speak of.
def coerce(code: int, details: Any, value: Any) -> Any:
    """Return ``value`` with every dict that stands for a struct made into one.

    Args:
        code: The TType.
        details: What ``thrift_spec`` says besides.
        value: What a handler returned.

    Returns:
        The very same object where there was nothing to do.

    Raises:
        TypeError: A dict does not fit its struct.

    """
    if code == ttype.STRUCT:
        if not isinstance(value, dict):
            return value
        cls, spec = details[0], details[1] or details[0].thrift_spec
        fields = {entry[2]: entry for entry in spec or () if entry is not None}
        check_names(cls.__name__, fields, value)
        return cls(
            **{name: coerce(fields[name][1], fields[name][3], item) for name, item in value.items()}
        )
    if code in {ttype.LIST, ttype.SET} and isinstance(value, list | tuple):
        items = [coerce(details[0], details[1], item) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    if code == ttype.MAP and isinstance(value, dict):
        named = {key: coerce(details[2], details[3], item) for key, item in value.items()}
        same = all(named[key] is item for key, item in value.items())
        return value if same else named
    return value


def invalid(struct: Any, error: Exception) -> Exception:
    """Return the error for a struct that could not be written: it names struct and field.

    Args:
        struct: The struct.
        error: What writing it raised.

    """
    try:
        for place, message, kind in _misfits(struct):
            return kind(f"{place} is invalid: {message}")
    except RecursionError:
        return ValueError(f"The {type(struct).__name__} contains itself or is nested too deeply")
    kind = ValueError if isinstance(error, ValueError | OverflowError) else TypeError
    return kind(f"{type(struct).__name__} is invalid: {error}")


_Misfit = tuple[str, str, type[Exception]]


def _misfits(struct: Any) -> Iterator[_Misfit]:
    name = type(struct).__name__
    for entry in type(struct).thrift_spec or ():
        if entry is not None:
            value = getattr(struct, entry[2], None)
            if value is not None:
                yield from _misfit(f"Field {entry[2]} of {name}", entry[1], entry[3], value)


def _misfit(place: str, code: int, details: Any, value: Any) -> Iterator[_Misfit]:
    if code in _BITS:
        bits = _BITS[code]
        if not isinstance(value, int):
            yield place, f"{value!r:.100} is no int", TypeError
        elif not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            yield place, f"{value} does not fit into {bits} bits", ValueError
    elif code == ttype.DOUBLE:
        if not isinstance(value, int | float):
            yield place, f"{value!r:.100} is no number", TypeError
    elif code == ttype.BINARY:
        yield from _misfit_text(place, details, value)
    elif code == ttype.STRUCT:
        if isinstance(value, details[0]):
            yield from _misfits(value)
        else:
            yield place, f"{value!r:.100} is no {details[0].__name__}", TypeError
    elif code in {ttype.LIST, ttype.SET}:
        if not isinstance(value, list | tuple | set | frozenset):
            yield place, f"{value!r:.100} is no {ttype.name_of(code)}", TypeError
        else:
            for item in value:
                yield from _misfit(place, details[0], details[1], item)
    elif code == ttype.MAP:
        if not isinstance(value, Mapping):
            yield place, f"{value!r:.100} is no map", TypeError
        else:
            for key, item in value.items():
                yield from _misfit(place, details[0], details[1], key)
                yield from _misfit(place, details[2], details[3], item)


def _misfit_text(place: str, details: Any, value: Any) -> Iterator[_Misfit]:
    if details == "BINARY":
        if not isinstance(value, bytes):
            yield place, f"{value!r:.100} is no bytes", TypeError
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            yield place, str(error), ValueError
    elif not isinstance(value, bytes):
        yield place, f"{value!r:.100} is no str", TypeError
