"""Type stubs for Thrift files: what ``python -m tchannel_thrift stubs`` writes."""

from .package import write_package, write_stubs
from .render import render_stub

__all__ = ["render_stub", "write_package", "write_stubs"]
