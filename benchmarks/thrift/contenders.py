"""The Thrift libraries that take part: each loads a schema, writes and reads instances."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

SCHEMA = Path(__file__).with_name("schema.thrift")


class MissingError(Exception):
    """A library is not installed, or cannot be."""


def _needed(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingError(str(error)) from None


class Ours:
    """The engine of this project."""

    name: ClassVar[str] = "ours"

    def __init__(self) -> None:
        self._rw = _needed("tchannel_thrift.rw")
        self.types: Any = self._rw.Loader().load(SCHEMA)
        self.dumps: Callable[[Any], bytes] = self.types.dumps
        self.loads: Callable[[Any, bytes], Any] = self.types.loads

    def load(self, path: Path) -> tuple[Any, Any, Any]:
        """A module from a file, and its dumps and loads."""
        module = self._rw.Loader().load(path)
        return module, module.dumps, module.loads


class Pure:
    """The engine of this project in Python alone, where "ours" runs natively."""

    name: ClassVar[str] = "pure"

    def __init__(self) -> None:
        _needed("tchannel_thrift.rw")
        parts: Any = _needed("tchannel_speedups.parts")
        if not parts.undo("thrift"):
            raise MissingError(f"the same as ours: {parts.active()['thrift']}")
        try:
            ours = Ours()
            self.types, self.dumps, self.loads = ours.types, ours.dumps, ours.loads
            self._use()
        finally:
            parts.offer("thrift", parts.LAYOUTS["thrift"])

    def _use(self) -> None:
        """Let all functions be made: they stay with the classes."""
        for _ in range(8):
            pair = self.types.Pair(high=1, low=2)
            medium = self.types.Medium(
                flag=True, tiny=1, short_=1, number=1, big=1, ratio=1.0, name="", blob=b"", color=1,
                pair=pair, numbers=[], tags={},
            )  # fmt: skip
            for value in (
                pair,
                medium,
                self.types.Small(text=""),
                self.types.Many(items=[medium]),
                self.types.Blob(data=b""),
            ):
                self.loads(type(value), self.dumps(value))


class Thriftrw:
    """The real thriftrw."""

    name: ClassVar[str] = "thriftrw"

    def __init__(self) -> None:
        self._rw = _needed("thriftrw")
        self.types: Any = self._rw.loader.Loader().load(str(SCHEMA))
        self.dumps: Callable[[Any], bytes] = self.types.dumps
        self.loads: Callable[[Any, bytes], Any] = self.types.loads

    def load(self, path: Path) -> tuple[Any, Any, Any]:
        """A module from a file, and its dumps and loads."""
        module = self._rw.loader.Loader().load(str(path))
        return module, module.dumps, module.loads


class Thriftpy2:
    """thriftpy2, with its protocol in Cython."""

    name: ClassVar[str] = "thriftpy2"

    def __init__(self) -> None:
        self._library = _needed("thriftpy2")
        _needed("thriftpy2.protocol.cybin")
        self.types: Any = self._library.load(str(SCHEMA), "bench_schema_thrift")

    @staticmethod
    def dumps(value: Any) -> bytes:
        """The bytes of an instance."""
        from thriftpy2.protocol import TCyBinaryProtocol
        from thriftpy2.transport import TCyMemoryBuffer

        buffer = TCyMemoryBuffer()
        TCyBinaryProtocol(buffer, strict_write=False).write_struct(value)
        data: bytes = buffer.getvalue()
        return data

    @staticmethod
    def loads(kind: Any, payload: bytes) -> Any:
        """An instance from its bytes."""
        from thriftpy2.protocol import TCyBinaryProtocol
        from thriftpy2.transport import TCyMemoryBuffer

        return TCyBinaryProtocol(TCyMemoryBuffer(payload)).read_struct(kind())

    def load(self, path: Path) -> tuple[Any, Any, Any]:
        """A module from a file, and its dumps and loads."""
        module = self._library.load_fp(io.StringIO(path.read_text()), "bench_load_thrift")
        return module, self.dumps, self.loads


class Apache:
    """Apache's thrift package with its C accelerator; its types are made by a compiler."""

    name: ClassVar[str] = "apache-c"

    def __init__(self) -> None:
        _needed("thrift.protocol.fastbinary")
        self.types: Any = _apache_types()

    @staticmethod
    def dumps(value: Any) -> bytes:
        """The bytes of an instance."""
        from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
        from thrift.transport.TTransport import TMemoryBuffer

        buffer = TMemoryBuffer()
        value.write(TBinaryProtocolAccelerated(buffer))
        data: bytes = buffer.getvalue()
        return data

    @staticmethod
    def loads(kind: Any, payload: bytes) -> Any:
        """An instance from its bytes."""
        from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
        from thrift.transport.TTransport import TMemoryBuffer

        value = kind()
        value.read(TBinaryProtocolAccelerated(TMemoryBuffer(payload)))
        return value


def _apache_types() -> SimpleNamespace:
    """The classes that ``thrift --gen py:dynamic`` makes of the schema."""
    base: Any = _needed("thrift.protocol.TBase").TBase
    code: Any = _needed("thrift.Thrift").TType

    def struct(name: str, *fields: tuple[int, str, Any]) -> Any:
        rows = tuple(
            (i, kind, field, more, None) for i, (kind, field, more) in enumerate(fields, 1)
        )
        names = [field for _, field, _ in fields]
        # As the compiler writes it, with arguments that are None by default.
        lines = [f"def __init__(self, {', '.join(f'{field}=None' for field in names)}):"]
        lines += [f"    self.{field} = {field}" for field in names]
        scope: dict[str, Any] = {}
        exec("\n".join(lines), scope)
        return type(name, (base,), {"thrift_spec": (None, *rows), "__init__": scope["__init__"]})

    small = struct("Small", (code.STRING, "text", "UTF8"))
    pair = struct("Pair", (code.I64, "high", None), (code.I64, "low", None))
    medium = struct(
        "Medium",
        (code.BOOL, "flag", None),
        (code.BYTE, "tiny", None),
        (code.I16, "short_", None),
        (code.I32, "number", None),
        (code.I64, "big", None),
        (code.DOUBLE, "ratio", None),
        (code.STRING, "name", "UTF8"),
        (code.STRING, "blob", "BINARY"),
        (code.I32, "color", None),
        (code.STRUCT, "pair", [pair, pair.thrift_spec]),
        (code.LIST, "numbers", (code.I32, None, False)),
        (code.MAP, "tags", (code.STRING, "UTF8", code.STRING, "UTF8", False)),
    )
    many = struct("Many", (code.LIST, "items", (code.STRUCT, [medium, medium.thrift_spec], False)))
    blob = struct("Blob", (code.STRING, "data", "BINARY"))
    return SimpleNamespace(Small=small, Pair=pair, Medium=medium, Many=many, Blob=blob)


CONTENDERS = {cls.name: cls for cls in (Ours, Pure, Thriftrw, Thriftpy2, Apache)}
"""All contenders by name."""
