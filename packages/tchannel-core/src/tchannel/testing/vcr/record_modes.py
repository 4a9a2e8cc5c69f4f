"""Record modes, under the path that tchannel-python had."""

from . import RecordMode

__all__ = ["RecordMode"]
