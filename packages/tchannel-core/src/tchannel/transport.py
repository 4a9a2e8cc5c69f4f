"""Keys of the transport headers of a call (protocol, "call": transport headers)."""

from typing import Final

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

CALLER_NAME: Final = "cn"
"""Who calls; on every request."""

CLAIM_AT_START: Final = "cas"
"""``host:port`` of the other instance that got this request and is told when it starts."""

CLAIM_AT_FINISH: Final = "caf"
"""``host:port`` of the other instance that got this request and is told when it is finished."""

FAILURE_DOMAIN: Final = "fd"
"""A group of services that are expected to fail together."""

RETRY_FLAGS: Final = "re"
"""When the call may be sent again: a value of `tchannel.retry`."""

ROUTING_DELEGATE: Final = "rd"
"""The service that a router sends the call to instead of the one it names."""

ROUTING_KEY: Final = "rk"
"""The group of instances, a canary say, that a router may prefer; only tchannel-go knows it besides."""

SCHEME: Final = "as"
"""The arg scheme: how arg2 and arg3 are to be read; on every request and response."""

SHARD_KEY: Final = "sk"
"""The key by which a sharded service chooses one of its instances."""

SPECULATIVE_EXE: Final = "se"
"""How many instances got this request; only ``2`` is defined."""
