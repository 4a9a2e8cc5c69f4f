"""A live page of what the channels of a process do: for a browser, as JSON, and for probes.

::

    from tchannel_observe.page import Page

    page = Page(channel)
    page.listen(9090)  # http://127.0.0.1:9090/
"""

from .page import Page

__all__ = ["Page"]
