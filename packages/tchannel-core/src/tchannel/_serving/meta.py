"""`Meta::health` and `Meta::versionInfo`, which every server answers (protocol, "Arg schemes").

Their requests and answers are constant bytes, so that they work without the Thrift layer; what else
Meta has comes with it.
"""

from __future__ import annotations

import struct
import sys
from functools import partial
from typing import Final

from .._version import __version__
from .endpoints import Endpoint, Endpoints

__all__ = ["HEALTH", "VERSION_INFO", "add_meta"]

HEALTH: Final = "Meta::health"
VERSION_INFO: Final = "Meta::versionInfo"

# Thrift, Binary protocol: field 0 (success) of a result is a struct. That of health is a HealthStatus
# {1: ok = true}.
_NO_HEADERS: Final = b"\x00\x00"
_SUCCESS: Final = b"\x0c\x00\x00"
_STOP: Final = b"\x00"
_HEALTHY: Final = _SUCCESS + b"\x02\x00\x01\x01" + _STOP + _STOP


def add_meta(endpoints: Endpoints, wanted: frozenset[str]) -> None:
    """Let ``endpoints`` answer those that are wanted until somebody registers a better answer."""
    for name, answer in ((HEALTH, _HEALTHY), (VERSION_INFO, _version_info())):
        if name.removeprefix("Meta::") not in wanted:
            continue
        # What the handler returns is the answer already.
        endpoints.add(name, Endpoint("thrift", partial(_answer, answer), None, _encode))


def _answer(answer: bytes, request: object) -> bytes:
    return answer


def _encode(answer: bytes) -> tuple[int, bytes, bytes]:
    return 0, _NO_HEADERS, answer


def _version_info() -> bytes:
    """A VersionInfo {1: language, 2: language_version, 3: version}."""
    fields = ("python", sys.version.split()[0], __version__)
    return b"".join(
        [
            _SUCCESS,
            *(
                struct.pack(">bhi", 11, number, len(value)) + value.encode()
                for number, value in enumerate(fields, 1)
            ),
            _STOP,
            _STOP,
        ]
    )
