"""Clients of Thrift services for plain threads; needs the tchannel-thrift distribution."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._calls.spans import Trace
from .._ground.optional import import_layer
from .client import TChannel

__all__ = ["client_for"]


class _Client:
    """A client whose methods return concurrent futures of the bare results."""

    # Subclassed by client_for, once for each service.
    _client_class: Callable[..., object]

    def __init__(
        self,
        tchannel: TChannel,
        hostport: str | None = None,
        trace: Trace = False,
        protocol_headers: Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(tchannel, TChannel):
            raise TypeError(f"tchannel must be a tchannel.sync.TChannel, not {tchannel!r}")
        self._tchannel = tchannel
        self._client = self._client_class(tchannel.channel, hostport, trace, protocol_headers)

    # Any: the methods are those of the IDL, with its types.
    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        attribute = getattr(self._client, name)
        return partial(self._tchannel.submit, attribute) if callable(attribute) else attribute

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._client)})


def client_for(
    # A Thrift module may be of any of the kinds that the Thrift layer knows.
    service: str,
    service_module: object,
    thrift_service_name: str | None = None,
) -> type[Any]:  # Any: the methods are those of the IDL
    """Make the class of clients of a Thrift service.

    It is called with ``(tchannel, hostport=None, trace=False, protocol_headers=None)``, `tchannel`
    being a `tchannel.sync.TChannel`; each function of the service is a method that returns a
    `concurrent.futures.Future` of the bare result, or of the declared exception::

        KeyValueClient = client_for("keyvalue-server", KeyValue)
        value = KeyValueClient(channel).getValue("foo").result()

    Args:
        service: The name under which the service is called.
        service_module: The Thrift module or service.
        thrift_service_name: The service in the module, where that is not clear.

    Raises:
        ImportError: tchannel-thrift is not installed; the message says how to install it.

    """
    thrift = import_layer("tchannel_thrift", dist="tchannel-thrift")
    client_class = thrift.client_for(service, service_module, thrift_service_name)
    return type(client_class.__name__, (_Client,), {"_client_class": client_class})
