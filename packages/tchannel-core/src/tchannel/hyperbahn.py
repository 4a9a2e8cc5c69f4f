"""Hyperbahn for TChannel; implemented by the tchannel-hyperbahn distribution.

Advertising is a method of the channel: `tchannel.TChannel.advertise`.
"""

from ._optional import import_layer

import_layer("tchannel_hyperbahn", dist="tchannel-hyperbahn")

__all__: list[str] = []
