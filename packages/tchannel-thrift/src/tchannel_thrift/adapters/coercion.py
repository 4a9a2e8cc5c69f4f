"""Results written as dicts where the IDL has structs."""

from __future__ import annotations

from collections.abc import Collection

from ..rw.wire import ttype
from .shapes import Spec

__all__ = ["check_names", "coerce"]


def coerce(spec: Spec, value: object) -> object:
    """Return ``value`` with every dict that stands for a struct made into one.

    Args:
        spec: The type in the IDL.
        value: What a handler returned.

    Returns:
        The very same object where there was nothing to do.

    Raises:
        TypeError, ValueError: A dict does not fit its struct; names struct and field.

    """
    code = spec.ttype_code
    if code == ttype.STRUCT:
        if not isinstance(value, dict):
            return value
        specs = {field.name: field.spec for field in spec.fields}
        check_names(spec.name, specs, value)
        return spec.surface(**{name: coerce(specs[name], item) for name, item in value.items()})
    if code in {ttype.LIST, ttype.SET} and isinstance(value, list | tuple):
        return _unless_same(value, [coerce(spec.vspec, item) for item in value])
    if code == ttype.MAP and isinstance(value, dict):
        items = {key: coerce(spec.vspec, item) for key, item in value.items()}
        same = all(items[key] is item for key, item in value.items())
        return value if same else items
    return value


def check_names(struct: str, known: Collection[str], value: dict[object, object]) -> None:
    """Refuse a dict with a key that is no field of the struct.

    Raises:
        TypeError: It has one.

    """
    for name in value:
        if name not in known:
            raise TypeError(f"{struct} has no field {name!r}; it has: {', '.join(known)}")


def _unless_same(value: Collection[object], items: list[object]) -> object:
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else items
