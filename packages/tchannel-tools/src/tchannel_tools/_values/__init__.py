"""Bodies and headers: from what people write to values, and from bytes to what is printed.

Nothing here makes a call.
"""
