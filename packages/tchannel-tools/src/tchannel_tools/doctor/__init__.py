"""``tchannel doctor``: what is wrong with a peer, or with the installation, and how to mend it."""
