"""Clients of Thrift services, under the path that tchannel-python had."""

from . import client_for

__all__ = ["client_for"]
