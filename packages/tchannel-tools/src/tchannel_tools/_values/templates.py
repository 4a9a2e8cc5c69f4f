"""Bodies and headers with places in them, ``${name}``, which are filled from the rows of a file."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .._terminal.failures import ToolError, one_line
from .bodies import Given, refuse_constant

__all__ = ["Row", "Template", "read_rows"]

_PLACE: Final = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a data file.

    Attributes:
        where: What to call it in errors: ``line 7 of users.csv``.
        values: What it has by name: text from CSV, any JSON from JSON lines.

    """

    where: str
    values: Mapping[str, Any]


def read_rows(path: str) -> Iterator[Row]:
    """Read a data file: CSV with a line of names where it is called ``*.csv``, else JSON lines.

    Raises:
        ToolError: It cannot be read, or a line is wrong; says which.

    """
    name = os.path.basename(path)
    read = _csv_rows if path.lower().endswith(".csv") else _json_rows
    try:
        with open(path, encoding="utf-8", newline="") as file:
            number = 0
            for number, row in read(file, name):
                yield Row(f"line {number} of {name}", row)
            if not number:
                raise ToolError(f"the data file {name} has no rows")
    except OSError as error:
        raise ToolError(f"cannot read the data file {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ToolError(f"the data file {path} is not UTF-8 at byte {error.start}") from None


# Rows are whatever a file holds.
def _csv_rows(file: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(file, strict=True)
    try:
        for row in reader:
            values: dict[Any, Any] = row
            if None in values or None in values.values():
                wanted = len(reader.fieldnames or ())
                raise ToolError(f"line {reader.line_num} of {name} has not {wanted} values")
            yield reader.line_num, values
    except csv.Error as error:
        raise ToolError(f"line {reader.line_num} of {name} is no CSV: {error}") from None


def _json_rows(file: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ToolError(f"line {number} of {name} is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise ToolError(f"line {number} of {name} is no JSON object")
        yield number, row


class Template:
    """A body, or headers, with places.

    A JSON string that is nothing but a place becomes the value with its type; otherwise the place
    becomes text. Places stand in strings alone, so that no value can become syntax.

    Args:
        given: As the user gave it.
        raw: Whether it is sent as it is, and so is text whatever it looks like.

    Raises:
        ToolError: It cannot be read.

    """

    def __init__(self, given: Given, *, raw: bool) -> None:
        self._what = given.what
        self._raw = raw
        self._value: Any = os.fsdecode(given.as_bytes()) if raw else given.as_value()

    def fill(self, row: Row) -> Given:
        """Return it with the values of a row.

        Raises:
            ToolError: The row does not have them.

        """

        def value_of(name: str) -> Any:
            try:
                return row.values[name]
            except KeyError:
                there = ", ".join(row.values) or "nothing"
                raise ToolError(
                    one_line(f"{self._what} names ${{{name}}}, but {row.where} has {there}")
                ) from None

        what = f"{self._what} of {row.where}"
        if self._raw:
            return Given(what, _fill_text(self._value, value_of), None)
        return Given(what, json.dumps(_fill(self._value, value_of)), None)


def _fill(value: Any, value_of: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        return _fill_text(value, value_of) if whole is None else value_of(whole[1])
    if isinstance(value, list):
        return [_fill(item, value_of) for item in value]
    if isinstance(value, dict):
        return {
            _fill_text(str(key), value_of): _fill(item, value_of) for key, item in value.items()
        }
    return value


def _fill_text(text: str, value_of: Callable[[str], Any]) -> str:
    def filled(place: re.Match[str]) -> str:
        value = value_of(place[1])
        return value if isinstance(value, str) else json.dumps(value)

    return _PLACE.sub(filled, text)
