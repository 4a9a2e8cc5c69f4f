"""The channel, under the path that tchannel-python had."""

from .channel import TChannel

__all__ = ["TChannel"]
