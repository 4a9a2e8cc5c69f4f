"""``tchannel decode``: what went over the wire, as calls."""
