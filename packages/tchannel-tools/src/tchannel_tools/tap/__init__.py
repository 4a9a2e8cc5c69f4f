"""``tchannel tap``: a relay that shows the calls which pass it."""
