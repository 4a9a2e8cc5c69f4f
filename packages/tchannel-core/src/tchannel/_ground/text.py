"""Text that is to be sent: whether it can be, and how long it is; and text that was received."""

from collections.abc import Mapping
from typing import Final

__all__ = ["MAX_SHOWN", "check_text", "counted", "escaped", "quoted", "shown", "shown_headers"]

MAX_SHOWN: Final = 200
"""Characters of one field of a log line."""

_CUT: Final = "..."


def check_text(value: object, name: str, most: int) -> str:
    """Return ``value`` if it is a str that can be sent in at most ``most`` bytes.

    Raises:
        TypeError: Not a str.
        ValueError: Too long, or not to be encoded; the message names the argument and the value.

    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{name} cannot be sent as UTF-8: {value[:40]!r}") from None
    if size > most:
        raise ValueError(f"{name} must be at most {most} bytes, not {size}: {value[:40]!r}")
    return value


def escaped(text: str) -> str:
    r"""Return ``text`` with what is not printable written as in a Python literal.

    Line ends, escape sequences, marks that turn the direction of writing, halves of surrogate pairs:
    ``\n``, ``\x1b``, ``\u202e``, ``\ud800``.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def shown(text: str, most: int = MAX_SHOWN) -> str:
    """Return ``text`` escaped, and cut to ``most`` characters if it has more."""
    safe = escaped(text[: most + 1])
    return safe if len(safe) <= most else safe[: most - len(_CUT)] + _CUT


def quoted(text: object) -> str:
    """Return ``text`` in quotes, escaped and cut, for a repr: it may have come from a peer."""
    return repr(shown(text)) if isinstance(text, str) else shown(repr(text))


def counted(number: int, what: str) -> str:
    """Return ``1 call``, ``2 calls``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def shown_headers(headers: Mapping[str, str]) -> str:
    """Return transport headers as a dict is shown, keys and values escaped and cut, and not too many."""
    some = [f"{quoted(key)}: {quoted(value)}" for key, value in list(headers.items())[:20]]
    return f"{{{', '.join([*some, '...'] if len(headers) > len(some) else some)}}}"
