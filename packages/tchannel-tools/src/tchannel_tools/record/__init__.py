"""``tchannel record``: calls that pass, kept in a file to be made again."""
