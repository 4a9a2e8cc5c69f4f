"""The Thrift interface of a service: its services and functions by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from tchannel_thrift import rw
from tchannel_thrift.rw import spec as specs

from .._terminal.failures import ToolError, one_line

__all__ = ["Interface", "add_reading", "find_file", "load_file", "load_texts"]


class Interface:
    """What an IDL offers.

    Args:
        module: The engine's module of the IDL.
        told_by: The service that told the IDL; "" if it comes from a file.

    """

    def __init__(self, module: ModuleType, told_by: str = "") -> None:
        self.module = module
        self.told_by = told_by

    def services(self) -> dict[str, specs.ServiceSpec]:
        """The Thrift services by name."""
        return {one.service_spec.name: one.service_spec for one in self.module.__services__}

    def endpoints(self) -> dict[str, specs.FunctionSpec]:
        """The functions by endpoint, inherited ones too."""
        found: dict[str, specs.FunctionSpec] = {}
        for name, service in self.services().items():
            lineage = [service]
            while lineage[-1].parent is not None:
                lineage.append(lineage[-1].parent)
            for one in reversed(lineage):
                found |= {f"{name}::{function.name}": function for function in one.functions}
        return found

    def function(self, endpoint: str) -> specs.FunctionSpec:
        """Return the function of an endpoint.

        Raises:
            ToolError: There is none; says what comes nearest. Or it is oneway.

        """
        endpoints = self.endpoints()
        function = endpoints.get(endpoint)
        if function is None:
            near = nearest(endpoint, list(endpoints))
            if self.told_by and all(name.startswith("Meta::") for name in endpoints):
                near = f"{self.told_by} tells of nothing but Meta, so give the file with -t"
            raise ToolError(f"the IDL has no endpoint {endpoint!r}: {near}")
        if function.oneway:
            raise ToolError(f"{endpoint} is oneway, and TChannel answers every call")
        return function


def nearest(name: str, names: list[str]) -> str:
    """Say which of ``names`` the user may have meant."""
    # By the last part alone: often the Thrift service is left out, or is that of TChannel.
    methods: dict[str, list[str]] = {}
    for one in names:
        methods.setdefault(one.rpartition(":")[2].lower(), []).append(one)
    found = difflib.get_close_matches(name.rpartition(":")[2].lower(), methods, 3, 0.6)
    near = [one for method in found for one in methods[method]]
    if near:
        return f"did you mean {' or '.join(near[:3])}?"
    if not names:
        return "it has none at all"
    return f"it has {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"


def add_reading(add: Callable[..., object]) -> None:
    """Add the options that say how Thrift files are read.

    Args:
        add: ``add_argument`` of a parser, or of a group of its options.

    """
    add(
        "-I",
        "--include",
        action="append",
        default=[],
        dest="include_dirs",
        metavar="DIR",
        help="where included Thrift files are looked for, after the folder of the including file",
    )
    add("--strict", action="store_true", help="fields must say whether they are required")
    add("--no-strict", dest="strict", action="store_false", help="they need not (the default)")


def find_file(path: str, service: str) -> Path:
    """Return the Thrift file that ``-t`` means.

    Args:
        path: A file, or a folder with ``service.thrift`` or with a single Thrift file.
        service: Name of the service.

    Raises:
        ToolError: There is no such file, or more than one.

    """
    given = Path(path)
    if not given.is_dir():
        return given
    named = given / f"{service}.thrift"
    if service and named.is_file():
        return named
    files = sorted(given.glob("*.thrift"))
    if len(files) == 1:
        return files[0]
    there = ", ".join(file.name for file in files[:5]) or "no Thrift file"
    raise ToolError(
        f"the folder {path} has no {service or 'SERVICE'}.thrift, but {there}: give the file"
    )


def load_file(
    path: str | Path, *, strict: bool, include_dirs: Sequence[str | Path] = ()
) -> Interface:
    """Load a Thrift file.

    Args:
        path: The file.
        strict: Whether fields must say if they are required.
        include_dirs: Where included files are looked for, after the directory of the file that
            includes them.

    Raises:
        ToolError: It cannot be read or is wrong; says file, line and column.

    """
    try:
        loader = rw.Loader(strict=strict, include_as=not strict, include_dirs=include_dirs)
        return Interface(loader.load(path))
    except OSError as error:
        raise ToolError(f"cannot read the Thrift file {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ToolError(f"{path} is not UTF-8 at byte {error.start}") from None
    except rw.ThriftError as error:
        raise ToolError(_first_line(error)) from None


def load_texts(
    texts: Mapping[str, str], entry_point: str, shown: str, *, strict: bool
) -> Interface:
    """Load Thrift files that are given as texts. No file is read for them, whatever they say.

    Args:
        texts: The texts by path; the paths are relative and fit the includes.
        entry_point: Path of the file to begin with.
        shown: What to call it all in errors.
        strict: Whether fields must say if they are required.

    Raises:
        ToolError: The first file is missing, or a text is wrong.

    """
    if entry_point not in texts:
        raise ToolError(f"{shown} has no file {entry_point!r:.200}, though it begins with it")
    try:
        loader = rw.Loader(strict=strict, include_as=not strict)
        return Interface(loader.load_texts(texts, entry_point))
    except rw.ThriftError as error:
        raise ToolError(f"{shown}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    # The further ones show the line of the file.
    return one_line(str(error).partition("\n")[0])
