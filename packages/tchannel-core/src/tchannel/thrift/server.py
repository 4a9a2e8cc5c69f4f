"""Registering of handlers, under the path that tchannel-python had."""

from . import register

__all__ = ["register"]
