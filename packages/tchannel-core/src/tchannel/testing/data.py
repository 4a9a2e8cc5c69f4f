"""A Thrift service that has every type; implemented by the tchannel-testing distribution."""

import sys
from typing import TYPE_CHECKING

from .._optional import import_layer

if TYPE_CHECKING:
    from tchannel_testing.data import IDL, everything, generated, load

    __all__ = ["IDL", "everything", "generated", "load"]
else:
    # The layer's module itself: there is one of it, whichever way it was imported.
    sys.modules[__name__] = import_layer("tchannel_testing.data", dist="tchannel-testing")
