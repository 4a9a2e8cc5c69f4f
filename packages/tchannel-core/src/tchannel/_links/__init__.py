"""Connections and peers.

Here live accepting, opening and keeping connections, what is held back when a peer is slow and how much
all may hold, what peers do wrong and whether they are still there, the timers of a loop, and the peers:
which there are, and which is chosen next. Not here: what a call does with its peer (`_calls`,
`_serving`), nor when a channel begins and ends (`_life`).
"""
