"""Testing for TChannel; implemented by the tchannel-testing distribution.

``from tchannel.testing import vcr`` records and replays calls.
"""

from .._optional import import_layer

import_layer("tchannel_testing", dist="tchannel-testing")

__all__: list[str] = []
