"""Request builders for Apache modules, under the path that tchannel-python had."""

from . import thrift_request_builder

__all__ = ["thrift_request_builder"]
