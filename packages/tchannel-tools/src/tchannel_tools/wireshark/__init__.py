"""``tchannel wireshark``: a dissector, and putting it where Wireshark looks for it."""
