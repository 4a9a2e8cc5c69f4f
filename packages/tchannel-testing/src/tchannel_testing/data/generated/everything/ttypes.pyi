# Made by generate_stubs.py. Apache's compiler says nothing of types; they are those of the IDL.
from typing import ClassVar


class _Struct:  # stands for Apache's TBase, which has no types itself
    thrift_spec: ClassVar[tuple[object, ...]]
    def read(self, iprot: object) -> None: ...
    def write(self, oprot: object) -> None: ...
    def validate(self) -> None: ...

class _Exception(_Struct, Exception): ...

class Color:
    RED: ClassVar[int]
    GREEN: ClassVar[int]
    BLUE: ClassVar[int]

class Point(_Struct):
    x: float | None
    y: float | None
    def __init__(self, x: float | None = None, y: float | None = None) -> None: ...

class Everything(_Struct):
    aBool: bool | None
    aByte: int | None
    anI16: int | None
    anI32: int | None
    anI64: int | None
    aDouble: float | None
    aString: str | None
    aBinary: bytes | None
    aColor: int | None
    aName: str | None
    aPoint: Point | None
    aList: list[int] | None
    aSet: set[str] | None
    aMap: dict[str, int] | None
    scores: dict[str, int] | None
    points: list[Point] | None
    nested: dict[int, list[str]] | None
    withDefault: int | None
    def __init__(self, aBool: bool | None = None, aByte: int | None = None, anI16: int | None = None, anI32: int | None = None, anI64: int | None = None, aDouble: float | None = None, aString: str | None = None, aBinary: bytes | None = None, aColor: int | None = None, aName: str | None = None, aPoint: Point | None = None, aList: list[int] | None = None, aSet: set[str] | None = None, aMap: dict[str, int] | None = None, scores: dict[str, int] | None = None, points: list[Point] | None = None, nested: dict[int, list[str]] | None = None, withDefault: int | None = None) -> None: ...

class Shape(_Struct):
    point: Point | None
    polygon: list[Point] | None
    name: str | None
    def __init__(self, point: Point | None = None, polygon: list[Point] | None = None, name: str | None = None) -> None: ...

class NotFound(_Exception):
    key: str | None
    message: str | None
    def __init__(self, key: str | None = None, message: str | None = None) -> None: ...

class Refused(_Exception):
    code: int | None
    def __init__(self, code: int | None = None) -> None: ...

all_structs: list[type[_Struct]]
