"""Where a channel may learn its peers from: files, DNS, Hyperbahn; for ``known_peers=``."""

from .dns import DnsSource
from .file import FileSource
from .hyperbahn import HyperbahnSource

__all__ = ["DnsSource", "FileSource", "HyperbahnSource"]
