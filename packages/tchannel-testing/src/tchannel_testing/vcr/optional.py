"""What VCR knows of Thrift, where tchannel-thrift is installed."""

from types import ModuleType

__all__ = ["thrift_bodies"]


def thrift_bodies() -> ModuleType | None:
    """:mod:`~tchannel_testing.vcr.thrift_bodies`, or None: who makes Thrift calls has what it needs."""
    try:
        from . import thrift_bodies as found
    except ModuleNotFoundError as error:
        if error.name != "tchannel_thrift":
            raise
        return None
    return found
