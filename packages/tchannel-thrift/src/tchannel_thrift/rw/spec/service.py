"""Services and their functions."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import UnknownExceptionError
from ..protocol.binary import BinaryReader
from .base import TypeSpec
from .field import FieldSpec
from .struct import StructTypeSpec
from .union import UnionTypeSpec


class FunctionArgsSpec(StructTypeSpec):
    """The arguments of a function: a struct called ``Service_function_request``.

    Attributes:
        function: The FunctionSpec.

    """

    __slots__ = ("function",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.function: FunctionSpec | None = None


class FunctionResultSpec(UnionTypeSpec):
    """The result of a function: a union called ``Service_function_response``.

    Its fields are ``success`` (id 0) unless the function is void, and the declared exceptions.

    Attributes:
        function: The FunctionSpec.
        return_spec: Type of the result, or None for void.
        exception_specs: The fields of the declared exceptions.
        exception_ids: Their ids.

    """

    __slots__ = ("exception_ids", "exception_specs", "function", "return_spec")

    def __init__(self, name: str, *, allow_empty: bool) -> None:
        super().__init__(name, allow_empty=allow_empty)
        self.function: FunctionSpec | None = None
        self.return_spec: TypeSpec | None = None
        self.exception_specs: list[FieldSpec] = []
        self.exception_ids: frozenset[int] = frozenset()

    def skip_unknown(self, reader: BinaryReader, code: int, field_id: int) -> None:
        """Pass over a result that nobody asked for; an unknown exception is an error.

        Raises:
            UnknownExceptionError: For a field that is neither the result nor declared.

        """
        reader.skip(code)
        if field_id != 0 and field_id not in self.exception_ids:
            raise UnknownExceptionError(
                f'"{self.name}" received an unrecognized exception (field {field_id}). '
                "Make sure your IDL is up-to-date with what the remote host is using."
            )


class ServiceFunction(NamedTuple):
    """A function of a service, as the attribute of the generated class."""

    name: str
    """Name of the function."""
    request: Any  # its fields are those of the IDL
    """Class of its arguments."""
    response: Any  # its fields are those of the IDL
    """Class of its result, or None if it is oneway."""
    spec: FunctionSpec
    """All that the IDL says about it."""


class FunctionSpec:
    """A function.

    Args:
        name: Name of the function.
        args_spec: Its arguments.
        result_spec: Its result, or None if it is oneway.
        oneway: Whether nobody waits for an answer.

    Attributes:
        service: The ServiceSpec.
        surface: The ServiceFunction.
        linked: Always True: specs come linked from the compiler.

    """

    __slots__ = ("args_spec", "linked", "name", "oneway", "result_spec", "service", "surface")

    def __init__(
        self,
        name: str,
        args_spec: FunctionArgsSpec,
        result_spec: FunctionResultSpec | None,
        *,
        oneway: bool,
    ) -> None:
        self.name: str = name
        self.args_spec: FunctionArgsSpec = args_spec
        self.result_spec: FunctionResultSpec | None = result_spec
        self.oneway: bool = oneway
        self.service: ServiceSpec | None = None
        self.surface: ServiceFunction | None = None
        self.linked: bool = True
        args_spec.function = self
        if result_spec is not None:
            result_spec.function = self

    def __repr__(self) -> str:
        return (
            f"FunctionSpec(name={self.name!r}, args_spec={self.args_spec!r}, "
            f"result_spec={self.result_spec!r})"
        )


class ServiceSpec:
    """A service.

    Args:
        name: Name of the service.

    Attributes:
        functions: Its own functions, in the order of the file.
        parent: The service that it extends, or None.
        surface: The generated class.
        linked: Whether functions and parent are there.

    """

    __slots__ = ("_by_name", "functions", "linked", "name", "parent", "surface")

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.functions: list[FunctionSpec] = []
        self.parent: ServiceSpec | None = None
        # Any: its attributes are the functions of the IDL.
        self.surface: Any = None
        self.linked: bool = False
        self._by_name: dict[str, FunctionSpec] | None = None

    def lookup(self, name: str | bytes) -> FunctionSpec | None:
        """The function of that name, or None. The functions of parents are found as well."""
        if isinstance(name, bytes):
            name = name.decode("utf-8", "replace")
        if self._by_name is None:
            self._by_name = {function.name: function for function in self.functions}
        function = self._by_name.get(name)
        if function is None and self.parent is not None:
            return self.parent.lookup(name)
        return function

    def __repr__(self) -> str:
        return (
            f"ServiceSpec(name={self.name!r}, functions={self.functions!r}, parent={self.parent!r})"
        )
