"""``tchannel discover`` and ``routes``: who serves what, as routers have it."""
