"""``tchannel list``, ``describe`` and ``health``: what a service tells of itself."""
