"""Addresses as the handshake has them: ``host:port`` and ``[ipv6]:port``."""

from __future__ import annotations

__all__ = ["is_dotted_ipv4", "parse_host_port"]


def parse_host_port(text: str) -> tuple[str, int]:
    """Split an address into host and port.

    The port, 0 to 65535, follows the last colon; an IPv6 host stands in brackets, which are taken
    off, and may name a scope (``[fe80::1%eth0]:4040``). No name is looked up.

    Raises:
        TypeError: `text` is no str.
        ValueError: It is no address; the message names it and what is wrong with it.

    """
    if not isinstance(text, str):
        raise TypeError(f"an address must be a string like 'host:port', not {text!r}")
    host, colon, digits = text.rpartition(":")
    if not colon:
        raise ValueError(f"address {text!r} has no port: write 'host:port'")
    if "://" in text:
        raise ValueError(f"address {text!r} is a URL: write 'host:port'")
    if not _is_number(digits, 5) or int(digits) > 0xFFFF:
        raise ValueError(f"address {text!r} has no port between 0 and 65535 behind its last ':'")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise ValueError(f"address {text!r} has no IPv6 address in its brackets")
    elif ":" in host:
        raise ValueError(f"address {text!r} needs brackets around its IPv6 host: '[::1]:4040'")
    elif not host:
        raise ValueError(f"address {text!r} has no host before its ':'")
    elif not host.isprintable() or any(character in host for character in " /[]@"):
        raise ValueError(f"address {text!r} has a host with characters that no host name has")
    return host, int(digits)


def is_dotted_ipv4(host: str) -> bool:
    """Whether `host` is four decimal numbers with dots."""
    parts = host.split(".")
    return len(parts) == 4 and all(_is_number(part, 3) and int(part) <= 255 for part in parts)


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= most


def _is_ipv6(host: str) -> bool:
    from ipaddress import IPv6Address  # on first use: 0.9 ms of an import

    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
