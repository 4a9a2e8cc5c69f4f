"""Cassettes, under the path that tchannel-python had."""

from . import Cassette

__all__ = ["Cassette"]
