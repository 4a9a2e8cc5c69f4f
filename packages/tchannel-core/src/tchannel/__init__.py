"""TChannel RPC for asyncio and Tornado: channel, peers, calls, raw and json."""

from ._version import __version__

__all__ = ["__version__"]
