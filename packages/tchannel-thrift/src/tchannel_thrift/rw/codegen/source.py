"""Text of a generated function, together with the objects that it refers to.

Nothing from an IDL file is ever pasted as text but names that are Python identifiers: all other
things, constants among them, are bound to made-up names in the function's globals.
"""

from __future__ import annotations

import contextlib
import keyword
import types
from collections.abc import Iterator

_KEPT_CODES = 1024
_codes: dict[str, types.CodeType] = {}
# What differs between structs of one shape stands in the globals, so that they share their code:
# compiling is most of what a generated function costs, and requests and responses are often alike.


class Source:
    """Lines of Python, and the globals of the function that they make up."""

    __slots__ = ("_bound", "_indent", "_lines", "_serial", "namespace")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = ""
        self._serial = 0
        self._bound: dict[object, str] = {}
        self.namespace: dict[str, object] = {}

    def line(self, text: str) -> None:
        """Add one line."""
        self._lines.append(self._indent + text)

    def mark(self) -> int:
        """Where the next line will stand."""
        return len(self._lines)

    def insert(self, mark: int, text: str) -> None:
        """Add a line of a function's body at a place that ``mark`` returned."""
        self._lines.insert(mark, f"    {text}")

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a line that ends in a colon; what follows in the ``with`` stands below it."""
        self.line(head)
        outer = self._indent
        self._indent += "    "
        yield
        self._indent = outer

    def fresh(self, prefix: str) -> str:
        """A new name. No other name of the function has this form."""
        self._serial += 1
        return f"{prefix}_{self._serial}"

    def bind(self, prefix: str, value: object) -> str:
        """A name by which the function knows ``value``; equal bytes share one."""
        if isinstance(value, bytes):
            name = self._bound.get(value)
            if name is None:
                name = self._bound[value] = self.bind_as(self.fresh(prefix), value)
            return name
        return self.bind_as(self.fresh(prefix), value)

    def bind_as(self, name: str, value: object) -> str:
        """Make ``name`` mean ``value``."""
        self.namespace[name] = value
        return name

    def compile(self, name: str, label: str) -> types.FunctionType:
        """The function ``name`` that the lines define. ``label`` stands in its tracebacks."""
        text = "\n".join(self._lines)
        code = _codes.get(text)
        if code is None:
            code = compile(text, f"<thrift {label}>", "exec", dont_inherit=True)
            if len(_codes) >= _KEPT_CODES:
                _codes.clear()
            _codes[text] = code
        exec(code, self.namespace)  # noqa: S102 - made here, from names that were checked
        function = self.namespace[name]
        assert isinstance(function, types.FunctionType), "the lines define it"
        return function


def is_plain(name: str) -> bool:
    """Whether a name of the IDL can stand in Python text."""
    return name.isidentifier() and not keyword.iskeyword(name)


def attribute(instance: str, name: str) -> str:
    """Text that reads the attribute ``name``."""
    return f"{instance}.{name}" if is_plain(name) else f"getattr({instance}, {name!r})"


def assign(instance: str, name: str, value: str) -> str:
    """Text that sets the attribute ``name``."""
    if is_plain(name):
        return f"{instance}.{name} = {value}"
    return f"setattr({instance}, {name!r}, {value})"
