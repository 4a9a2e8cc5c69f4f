"""What all the other wings stand on.

Here live addresses, text, application headers, times and fields of log records, the incoming call of
the running context, layers that are installed apart, and what concerns the whole process. Nothing here
knows a channel, a connection or a call by more than its name.
"""
