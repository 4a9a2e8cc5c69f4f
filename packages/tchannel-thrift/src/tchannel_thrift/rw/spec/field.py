"""Fields of structs, unions and exceptions; arguments; results and declared exceptions."""

from __future__ import annotations

from typing import Any

from .base import TypeSpec, field_error


class FieldSpec:
    """A field.

    Args:
        id: Number on the wire.
        name: Name in the IDL and in Python.
        required: Whether a value must be there.
        struct_name: Name of the struct, for errors.

    Attributes:
        spec: Type of the field; set by linking.
        default_value: What an absent field has, or None.
        linked: Whether ``spec`` is set.

    """

    __slots__ = ("_spec", "default_value", "id", "linked", "name", "required", "struct_name")

    def __init__(self, id: int, name: str, required: bool, struct_name: str) -> None:
        self.id: int = id
        self.name: str = name
        self.required: bool = required
        self.struct_name: str = struct_name
        self.default_value: object = None
        self.linked: bool = False
        self._spec: TypeSpec | None = None

    @property
    def spec(self) -> TypeSpec:
        """Type of the field."""
        assert self._spec is not None, f"field {self.name} is not linked"
        return self._spec

    @spec.setter
    def spec(self, spec: TypeSpec) -> None:
        self._spec = spec
        self.linked = True

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return self.spec.ttype_code

    @property
    def hashable(self) -> bool:
        """Whether values of the field are hashable."""
        return self.spec.hashable

    @property
    def must_be_given(self) -> bool:
        """Whether the field is required and has no default."""
        return self.required and self.default_value is None

    # Any: a value of any type, which says by its methods whether it can be read once only.
    def check(self, value: Any) -> object:
        """``value`` if it can be written as this field; a list of it where it can be read once.

        Raises:
            TypeError, ValueError: Otherwise, naming struct and field.

        """
        if value is None:
            raise none_refused(self)
        try:
            # A generator is used up by looking at it, and its length must be known to write it.
            if hasattr(value, "__iter__") and not hasattr(value, "__len__"):
                value = list(value)
            self.spec.admit(value)
        except (TypeError, ValueError) as error:
            raise field_error(error, self.name, self.struct_name) from None
        return value

    def __repr__(self) -> str:
        spec_name = self._spec.name if self._spec is not None else None
        return f"FieldSpec(id={self.id!r}, name={self.name!r}, spec_name={spec_name!r})"


def none_refused(field: FieldSpec) -> TypeError:
    """The error for a required field without a value, in thriftrw's words."""
    return TypeError(
        f'Field "{field.name}" of "{field.struct_name}" is required. It cannot be None.'
    )
