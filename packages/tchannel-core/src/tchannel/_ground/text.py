"""Text that is to be sent: whether it can be, and how long it is."""

__all__ = ["check_text"]


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
