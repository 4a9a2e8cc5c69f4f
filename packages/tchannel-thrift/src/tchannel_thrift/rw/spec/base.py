"""What every type of a Thrift file has in common, and the errors of its values."""

from __future__ import annotations

import abc
from typing import NoReturn

from ..protocol.binary import BinaryReader, BinaryWriter


class OutOfRangeError(ValueError, OverflowError):
    """A number does not fit in its type.

    thriftrw raises ValueError on construction and OverflowError on ``dumps``; this is both.
    """


class TypeSpec(abc.ABC):
    """A type of a Thrift file.

    Values are what the caller of the generated classes has in hand: int, str, list, instances of
    generated classes. They are ``object`` here, because a spec is found at run time: whether a value
    is right is what ``validate`` says.
    """

    __slots__ = ()

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The type as the IDL writes it."""

    @property
    @abc.abstractmethod
    def ttype_code(self) -> int:
        """The type's code on the wire, one of ``wire.ttype``."""

    @property
    @abc.abstractmethod
    def surface(self) -> object:
        """What stands for the type in Python: a class, or for integers a tuple of classes."""

    @property
    @abc.abstractmethod
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""

    @abc.abstractmethod
    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless ``value`` can be written as this type."""

    @abc.abstractmethod
    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write ``value``; raises what ``validate`` raises."""

    @abc.abstractmethod
    def read_from(self, reader: BinaryReader) -> object:
        """Read a value.

        Raises:
            ThriftProtocolError: If the bytes are not of this type.
            TypeError: If a struct lacks required fields.
            ValueError: If a string is not UTF-8 (UnicodeDecodeError).

        """

    @abc.abstractmethod
    def to_primitive(self, value: object) -> object:
        """``value`` as nothing but bool, int, float, str, bytes, list and dict."""

    @abc.abstractmethod
    def from_primitive(self, value: object) -> object:
        """The value that a primitive representation stands for."""

    @property
    def parts(self) -> int:
        """How many words the type has when it is written out: 1 for all but containers."""
        return 1

    @property
    def levels(self) -> int:
        """How many levels of containers the type has: 0 for all but containers."""
        return 0

    def freeze(self, value: object) -> object:
        """The value as an element of a set or a key of a map has it: hashable.

        See `tchannel_thrift.rw.spec.frozen`. Values of all but containers, and structs with
        containers, are hashable as they are.
        """
        return value

    def admit(self, value: object) -> None:
        """``validate``, except that of a struct only the class is looked at.

        This is what constructors ask of values: structs were looked at when they were made.
        """
        self.validate(value)

    def link(self, scope: object = None) -> TypeSpec:
        """The spec itself: it comes linked from the compiler. thriftrw's types have this method."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


def wrong_type(value: object, spec: TypeSpec) -> NoReturn:
    """Raise the TypeError for a value that is not of the type."""
    raise TypeError(f'Cannot serialize {_shown(value)} into a "{spec.name}".')


def field_error(error: Exception, field_name: str, struct_name: str) -> Exception:
    """``error`` as an error of the same class that names the struct and the field.

    Only the innermost struct names itself: an error that has been through here stays as it is.
    """
    if is_final(error):
        return error
    prefix = f"Field {field_name} of {struct_name} is invalid"
    wrapped: Exception
    if isinstance(error, UnicodeDecodeError):
        wrapped = UnicodeDecodeError(
            error.encoding, error.object, error.start, error.end, f"{error.reason}: {prefix}"
        )
    elif isinstance(error, UnicodeEncodeError):
        wrapped = UnicodeEncodeError(
            error.encoding, error.object, error.start, error.end, f"{error.reason}: {prefix}"
        )
    elif isinstance(error, OverflowError):
        wrapped = OutOfRangeError(f"{prefix}: {error}")
    elif isinstance(error, ValueError):
        wrapped = ValueError(f"{prefix}: {error}")
    else:
        wrapped = TypeError(f"{prefix}: {error}")
    return final(wrapped)


def final(error: Exception) -> Exception:
    """Mark an error as saying all that there is to say about its place."""
    error.__dict__["thrift_final"] = True
    return error


def is_final(error: Exception) -> bool:
    """Whether ``final`` has marked the error."""
    return "thrift_final" in error.__dict__


def _shown(value: object) -> str:
    """The value for an error's text: short, whatever the value is."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 200 else text[:200] + "..."
