"""Constants."""

from __future__ import annotations

from .base import TypeSpec


class ConstSpec:
    """A constant.

    Args:
        name: Name of the constant.
        type_spec: Its type.
        surface: Its value, as the generated module shows it.

    """

    __slots__ = ("linked", "name", "surface", "type_spec")

    def __init__(self, name: str, type_spec: TypeSpec, surface: object) -> None:
        self.name: str = name
        self.type_spec: TypeSpec = type_spec
        self.surface: object = surface
        self.linked: bool = True

    def __repr__(self) -> str:
        return f"ConstSpec(name={self.name!r}, surface={self.surface!r})"
