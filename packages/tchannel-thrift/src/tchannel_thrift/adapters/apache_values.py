"""Values of Apache's generated code: dicts made into structs.

A type is what ``thrift_spec`` says: a number of Apache's ``TType``, and what it needs besides.
"""

from __future__ import annotations

from typing import Any

from ..rw.wire import ttype
from .coercion import check_names

__all__ = ["coerce"]


# Values are what users hand over, and generated classes have no types to speak of.
def coerce(code: int, details: Any, value: object) -> object:
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
