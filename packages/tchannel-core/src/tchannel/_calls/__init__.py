"""Calls that we make.

Here live the outgoing call and its states, how it waits for a connection, is retried and is traced, and
what interceptors do to it on its way out. Not here: which peer it goes to and over which connection
(`_links`), nor what the arg schemes put into it (`schemes`). Nothing here imports another wing than
`_ground`.
"""
