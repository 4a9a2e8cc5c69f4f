"""``tchannel router``, ``proxy`` and ``stubs``: what its distributions do for development."""
