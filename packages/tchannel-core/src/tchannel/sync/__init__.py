"""TChannel for plain threads: calls return `concurrent.futures.Future`.

::

    from tchannel.sync import TChannel

    with TChannel("my-service", known_peers=["10.0.0.1:4040"]) as channel:
        future = channel.json("keyvalue", "get", {"key": "a"})
        print(future.result().body)
"""

from typing import TYPE_CHECKING

from .._ground.optional import submodules
from .client import TChannel
from .thrift import client_for

__all__ = ["TChannel", "client_for"]

if TYPE_CHECKING:
    from . import singleton as singleton
else:
    __getattr__ = submodules(__name__, {"singleton"})
