"""A Thrift service that has every type; implemented by the tchannel-testing distribution."""

import sys
from typing import TYPE_CHECKING

from .._ground.optional import import_layer

if TYPE_CHECKING:
    from tchannel_testing.data import *  # noqa: F403 - re-exported to type checkers
    from tchannel_testing.data import everything, generated  # noqa: F401 - lazy, so not in __all__
else:
    # The layer's module itself: there is one of it, whichever way it was imported.
    sys.modules[__name__] = import_layer("tchannel_testing.data", dist="tchannel-testing")
