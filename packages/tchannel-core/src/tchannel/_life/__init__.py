"""A channel's life.

Here live the loop that it belongs to and moves between, forks, advertising, draining and the end. Not
here: what single connections (`_links`) and calls (`_calls`, `_serving`) do while it lives.
"""
