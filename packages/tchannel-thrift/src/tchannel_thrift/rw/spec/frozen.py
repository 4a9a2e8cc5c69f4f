"""Values that can be elements of sets and keys of maps although Python's own for them cannot.

A Thrift file may have ``set<list<string>>``. Where such a value is read, what stands in the set is
frozen: lists are tuples, sets are frozensets, maps are `FrozenMap`, and structs with any of these
are of a subclass of their class that is hashable. ``type_spec.freeze(value)`` does that to a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


def _cannot_change(*_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError("a FrozenMap cannot be changed: it is a key of a map or an element of a set")


class FrozenMap(dict[object, object]):
    """A map that cannot change, and so can be a key of another map.

    Equal to a dict with the same items.
    """

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({super().__repr__()})"

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenMap, (dict(self),)

    __setitem__: Callable[..., NoReturn] = _cannot_change
    __delitem__: Callable[..., NoReturn] = _cannot_change
    __ior__: Callable[..., NoReturn] = _cannot_change
    update: Callable[..., NoReturn] = _cannot_change
    setdefault: Callable[..., NoReturn] = _cannot_change
    pop: Callable[..., NoReturn] = _cannot_change
    popitem: Callable[..., NoReturn] = _cannot_change
    clear: Callable[..., NoReturn] = _cannot_change
