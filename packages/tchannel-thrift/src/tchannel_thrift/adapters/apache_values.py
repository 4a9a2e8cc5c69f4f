"""Values of Apache's generated code: dicts made into structs.

A type is what ``thrift_spec`` says: a number of Apache's ``TType``, and what it needs besides.
"""

from __future__ import annotations

from ..rw.wire import ttype
from .apache_specs import struct_class
from .coercion import check_names

__all__ = ["coerce"]


def coerce(code: int, details: object, value: object) -> object:
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
        cls = struct_class(details)
        fields = {entry[2]: entry for entry in cls.thrift_spec or () if entry is not None}
        check_names(cls.__name__, fields, value)
        return cls(
            **{name: coerce(fields[name][1], fields[name][3], item) for name, item in value.items()}
        )
    match details:
        case (int() as element, inner, *_) if code in {ttype.LIST, ttype.SET} and isinstance(
            value, list | tuple
        ):
            items = [coerce(element, inner, item) for item in value]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        case (_, _, int() as element, inner, *_) if code == ttype.MAP and isinstance(value, dict):
            named = {key: coerce(element, inner, item) for key, item in value.items()}
            same = all(named[key] is item for key, item in value.items())
            return value if same else named
    return value
