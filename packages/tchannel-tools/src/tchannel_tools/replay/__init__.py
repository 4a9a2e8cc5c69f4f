"""``tchannel replay``: recorded calls made again, and their answers compared."""
