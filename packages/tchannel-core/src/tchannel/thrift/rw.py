"""Loading of IDL files, under the path that tchannel-python had."""

from . import TChannelThriftModule, load, register

__all__ = ["TChannelThriftModule", "load", "register"]
