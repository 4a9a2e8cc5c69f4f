"""Thrift for TChannel; implemented by the tchannel-thrift distribution."""

from ._optional import install_hint

try:
    # The arg scheme's names; ignored while the installed layer has its engine only.
    from tchannel_thrift import client_for, load, register, thrift_request_builder  # type: ignore[attr-defined]
except ImportError as error:
    raise install_hint(error, needs="tchannel_thrift", dist="tchannel-thrift") from None

__all__ = ["client_for", "load", "register", "thrift_request_builder"]
