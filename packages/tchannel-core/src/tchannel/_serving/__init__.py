"""Calls that we serve.

Here live the endpoints and how handlers are registered for them, the incoming call from its arrival to
its answer, what interceptors do to it on its way in, and the health that every server tells. Not here:
the connection that it came over (`_links`), nor how bodies are read and written (`schemes`). Nothing
here imports another wing than `_ground`.
"""
