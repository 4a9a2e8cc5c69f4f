"""``tchannel context``: where to call, set down once by name."""
