"""Hyperbahn for TChannel; implemented by the tchannel-hyperbahn distribution.

Services need no more than a method of their channel: `tchannel.TChannel.advertise`.
"""

from ._optional import install_hint

try:
    from tchannel_hyperbahn import Router, advertise, unadvertise
except ImportError as error:
    raise install_hint(error, needs="tchannel_hyperbahn", dist="tchannel-hyperbahn") from None

__all__ = ["Router", "advertise", "unadvertise"]
