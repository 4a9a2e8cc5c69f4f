"""The name under which thriftrw's document speaks of ``Message``."""

from .wire import Message

__all__ = ["Message"]
