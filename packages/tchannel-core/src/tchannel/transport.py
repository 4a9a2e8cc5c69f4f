"""Keys of the transport headers of a call (protocol, "call": transport headers)."""

from typing import Final

import tchannel_wire as wire

__all__ = [
    "CALLER_NAME",
    "CLAIM_AT_FINISH",
    "CLAIM_AT_START",
    "FAILURE_DOMAIN",
    "RETRY_FLAGS",
    "ROUTING_DELEGATE",
    "ROUTING_KEY",
    "SCHEME",
    "SHARD_KEY",
    "SPECULATIVE_EXE",
]

CALLER_NAME: Final = wire.CALLER_NAME
"""Who calls; on every request."""

CLAIM_AT_START: Final = wire.CLAIM_AT_START
"""``host:port`` of the other instance that got this request and is told when it starts."""

CLAIM_AT_FINISH: Final = wire.CLAIM_AT_FINISH
"""``host:port`` of the other instance that got this request and is told when it is finished."""

FAILURE_DOMAIN: Final = wire.FAILURE_DOMAIN
"""A group of services that are expected to fail together."""

RETRY_FLAGS: Final = wire.RETRY_FLAGS
"""When the call may be sent again: a value of `tchannel.retry`."""

ROUTING_DELEGATE: Final = wire.ROUTING_DELEGATE
"""The service that a router sends the call to instead of the one it names."""

ROUTING_KEY: Final = wire.ROUTING_KEY
"""The group of instances, a canary say, that a router may prefer; only tchannel-go knows it besides."""

SCHEME: Final = wire.ARG_SCHEME
"""The arg scheme: how arg2 and arg3 are to be read; on every request and response."""

SHARD_KEY: Final = wire.SHARD_KEY
"""The key by which a sharded service chooses one of its instances."""

SPECULATIVE_EXE: Final = wire.SPECULATIVE_EXECUTION
"""How many instances got this request; only ``2`` is defined."""
