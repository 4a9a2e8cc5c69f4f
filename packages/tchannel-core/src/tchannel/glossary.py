"""Figures and names that the whole library agrees on."""

import sys
from typing import Final

import tchannel_wire as wire

from ._version import __version__

__all__ = [
    "DEFAULT_TIMEOUT",
    "MAX_MESSAGE_ID",
    "TCHANNEL_LANGUAGE",
    "TCHANNEL_LANGUAGE_VERSION",
    "TCHANNEL_VERSION",
]

DEFAULT_TIMEOUT: Final = 30.0
"""How long one attempt of a call may take unless the caller says otherwise, in seconds."""

MAX_MESSAGE_ID: Final = wire.MAX_MESSAGE_ID
"""The largest id of a message; 0xFFFFFFFF belongs to errors about no particular message."""

TCHANNEL_LANGUAGE: Final = "python"
"""What the init message says about the language (``tchannel_language``)."""

TCHANNEL_LANGUAGE_VERSION: Final = (
    f"{sys.implementation.name}-{'.'.join(map(str, sys.version_info[:3]))}"
)
"""What the init message says about the interpreter (``tchannel_language_version``)."""

TCHANNEL_VERSION: Final[str] = __version__
"""The version of tchannel-core; the init message carries that of tchannel-wire, which speaks."""
