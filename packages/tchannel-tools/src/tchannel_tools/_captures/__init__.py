"""What went over the wire: captured packets, the TCP streams in them, and the calls in the streams.

Nothing here prints, opens a socket or knows a command; time is what the capture says.
"""
