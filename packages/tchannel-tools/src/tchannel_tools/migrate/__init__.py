"""``tchannel migrate``: what a code base written for tchannel-python or thriftrw needs to change."""
