"""Names that peers made up, fit for what shows and sends them."""

from __future__ import annotations

from typing import Final

__all__ = ["LONGEST_NAME", "safe"]

LONGEST_NAME: Final = 256
"""Characters of a name that a peer may have made up."""


def safe(text: str, most: int = LONGEST_NAME) -> str:
    """Return ``text`` as it can be sent: valid Unicode, and no more than ``most`` characters.

    One lone surrogate, of a name that was no UTF-8, costs an exporter a whole batch, and Prometheus a
    whole scrape.
    """
    text = text[:most]
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
