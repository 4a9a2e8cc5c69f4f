"""Arg schemes: what the three args of a call mean.

A scheme is an object with a ``NAME``, called to make a call, with ``register`` to serve one. Schemes
that a channel does not bring along are found by the entry-point group ``tchannel.schemes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .._ground.optional import install_hint, submodules
from .json import JsonArgScheme, JsonCodec
from .raw import RawArgScheme

if TYPE_CHECKING:
    from tchannel_thrift import ThriftArgScheme as ThriftArgScheme

    from . import thrift as thrift

    DEFAULT_SCHEMES: Final = (RawArgScheme, JsonArgScheme, ThriftArgScheme)
    """Their classes; needs tchannel-thrift."""

__all__ = [
    "DEFAULT",
    "DEFAULT_NAMES",
    "JSON",
    "RAW",
    "THRIFT",
    "JsonArgScheme",
    "JsonCodec",
    "RawArgScheme",
    "find_scheme",
]

RAW: Final = "raw"
JSON: Final = "json"
THRIFT: Final = "thrift"

DEFAULT: Final = RAW
"""What a call without a scheme is taken for."""

DEFAULT_NAMES: Final = (RAW, JSON, THRIFT)
"""The schemes that every channel has."""


# Any: a class that any package provides; each scheme has methods of its own.
def find_scheme(name: str) -> Any:
    """Return the class of the scheme called ``name``.

    Raises:
        ModuleNotFoundError: it belongs to a layer that is not installed; says what to install.
        ValueError: nobody knows such a scheme.

    """
    if name == RAW:
        return RawArgScheme
    if name == JSON:
        return JsonArgScheme
    if name == THRIFT:
        try:
            from tchannel_thrift import ThriftArgScheme
        except ImportError as error:
            raise install_hint(error, needs="tchannel_thrift", dist="tchannel-thrift") from None
        return ThriftArgScheme
    # Reading entry points costs 20 ms: only for a scheme that nobody else provides.
    from importlib.metadata import entry_points

    for entry_point in entry_points(group="tchannel.schemes", name=name):
        return entry_point.load()
    raise ValueError(f"no arg scheme is called {name!r}")


if not TYPE_CHECKING:
    _modules = submodules(__name__, {"thrift"})

    def __getattr__(name: str) -> object:
        if name == "ThriftArgScheme":
            return find_scheme(THRIFT)
        if name == "DEFAULT_SCHEMES":
            return (RawArgScheme, JsonArgScheme, find_scheme(THRIFT))
        return _modules(name)
