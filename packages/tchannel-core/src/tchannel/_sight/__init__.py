"""What an operator sees of a channel.

Here live the counters that calls and connections keep, the loop's lag, and the snapshot that is made of
all that. Not here: the shape of the snapshot (`tchannel.stats`), and what hooks make of events
(`tchannel.event`). Other wings hold the rows and counters and add to them; nothing here imports another
wing than `_ground`.
"""
