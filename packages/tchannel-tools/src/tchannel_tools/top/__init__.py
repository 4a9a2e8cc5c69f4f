"""``tchannel top``: what services are doing just now."""
