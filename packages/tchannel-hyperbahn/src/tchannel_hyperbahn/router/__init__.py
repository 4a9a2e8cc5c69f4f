"""A router for development and tests: what Hyperbahn does, on one machine."""

from .server import Router

__all__ = ["Router"]
