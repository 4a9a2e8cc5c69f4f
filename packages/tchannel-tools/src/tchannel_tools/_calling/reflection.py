"""Asking a service for its IDL (``Meta::thriftIDL``)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tchannel import errors
from tchannel_thrift.meta import meta

from .._idl.interface import Interface, load_file
from .._terminal.failures import CallFailed, ToolError, one_line
from .calls import Caller, Message

__all__ = ["ask_interface"]

_ENDPOINT = "Meta::thriftIDL"
_NO_HEADERS = b"\0\0"
_NO_ARGUMENTS = b"\0"


async def ask_interface(caller: Caller, service: str, *, strict: bool) -> Interface:
    """Ask the service for its IDL, and load it.

    Raises:
        CallFailed: It could not be asked.
        ToolError: It does not tell its IDL, or what it tells is wrong.

    """
    function = Interface(meta).function(_ENDPOINT)
    try:
        answer = await caller.call(Message("thrift", _ENDPOINT, _NO_HEADERS, _NO_ARGUMENTS))
    except CallFailed as failure:
        code = failure.error.code
        if not failure.sent or code not in {errors.BAD_REQUEST, errors.UNEXPECTED_ERROR}:
            raise
        raise ToolError(
            f"{service} does not tell its IDL, so give the file with -t: it answers"
            f" {_ENDPOINT} with {one_line(failure.description)!r}"
        ) from None
    surface = function.surface
    assert surface is not None, "a loaded function has classes"
    try:
        idl = surface.response.__thrift_module__.loads(surface.response, answer.arg3).success
        texts, entry_point = idl.idls, idl.entryPoint
    except Exception as error:
        raise ToolError(
            f"{service} tells its IDL in a way of its own, so give the file with -t:"
            f" {one_line(str(error))}"
        ) from None
    interface = load_texts(texts, entry_point, f"the IDL that {service} tells", strict=strict)
    interface.told_by = service
    return interface


def load_texts(
    texts: Mapping[str, str], entry_point: str, shown: str, *, strict: bool
) -> Interface:
    """Load Thrift files that are given as texts.

    Args:
        texts: The texts by path; the paths are relative and fit the includes.
        entry_point: Path of the file to begin with.
        shown: What to call it all in errors.
        strict: Whether fields must say if they are required.

    Raises:
        ToolError: A path leads elsewhere, the first file is missing, or a text is wrong.

    """
    if entry_point not in texts:
        raise ToolError(f"{shown} has no file {entry_point!r}, though it begins with it")
    with tempfile.TemporaryDirectory(prefix="tchannel-idl-") as folder:
        for name, text in texts.items():
            path = PurePosixPath(name)
            # The service names the files, and must not choose where they are written.
            if path.is_absolute() or ".." in path.parts or "\0" in name or not path.name:
                raise ToolError(f"{shown} names a file outside its folder: {name!r}")
            file = Path(folder, path)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            except OSError as error:
                raise ToolError(f"{shown} has a file {name!r}: {error.strerror}") from None
        return load_file(Path(folder, entry_point), strict=strict, shown=shown)
