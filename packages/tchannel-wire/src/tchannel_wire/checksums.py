"""The checksums of call frames.

A frame's checksum covers the bytes of its chunks, without their lengths, and starts from the
checksum of the previous frame of the same message; the first frame starts from 0.

CRC-32C comes from ``google_crc32c`` or ``crc32c`` where one of them is installed, which makes it
faster than zlib's CRC-32; else from a table in Python, about a thousand times slower.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from enum import IntEnum

from .farmhash import fingerprint32, fingerprint32_with_seed

__all__ = [
    "CHECKSUM_FUNCTIONS",
    "WHOLE_CHECKSUMS",
    "ChecksumFunction",
    "ChecksumType",
    "checksum",
    "chunks_checksum",
    "crc32",
    "crc32c",
    "is_dear",
    "verify_chunks",
]

ChecksumFunction = Callable[[bytes, int], int]
"""``function(data, seed) -> checksum``; always called with positional arguments."""


class ChecksumType(IntEnum):
    """The checksum types of the protocol."""

    NONE = 0
    """No checksum on the wire."""
    CRC32 = 1
    """CRC-32 as zlib computes it; the default of tchannel-go."""
    FARMHASH = 2
    """Farmhash Fingerprint32. Understood, and answered to those who use it; never our choice."""
    CRC32C = 3
    """CRC-32C (Castagnoli); the default of everybody else, and ours."""


crc32: ChecksumFunction = zlib.crc32


def _load_crc32c() -> tuple[Callable[[bytes], int], ChecksumFunction]:
    try:
        import warnings

        with warnings.catch_warnings():
            # Without its C extension the package warns, and is slower than our own table.
            warnings.simplefilter("error", RuntimeWarning)
            from google_crc32c import extend, value
    except (ImportError, RuntimeWarning):
        pass
    else:

        def google(data: bytes, seed: int = 0) -> int:
            result: int = extend(seed, data)
            return result

        return value, google
    try:
        from crc32c import crc32c as fast  # type: ignore[import-not-found, unused-ignore]  # optional
    except ImportError:
        return crc32c_by_table, crc32c_by_table
    return fast, fast


def _castagnoli_table() -> list[int]:
    table = []
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ 0x82F63B78 if value & 1 else value >> 1
        table.append(value)
    return table


_TABLE: list[int] = []


def crc32c_by_table(data: bytes, seed: int = 0) -> int:
    """CRC-32C of `data` in plain Python, for machines without a library that knows it."""
    if not _TABLE:  # built on first use: most processes never need it
        _TABLE[:] = _castagnoli_table()  # the same, should two threads do it at once
    table = _TABLE
    value = seed ^ 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


crc32c: ChecksumFunction
_crc32c_whole, crc32c = _load_crc32c()


def _none(data: bytes, seed: int = 0) -> int:
    return 0


CHECKSUM_FUNCTIONS: tuple[ChecksumFunction, ...] = (_none, crc32, fingerprint32_with_seed, crc32c)
"""The function of each type, to be looked up once and kept."""

WHOLE_CHECKSUMS: tuple[Callable[[bytes], int], ...] = (
    _none,
    zlib.crc32,
    fingerprint32,
    _crc32c_whole,
)
"""The same without a seed, for messages of one frame: the libraries' own functions, which saves a
Python call per checksum."""


def checksum(type: ChecksumType, data: bytes, seed: int = 0) -> int:
    """The checksum of `data` that follows `seed`; 0 for `ChecksumType.NONE`.

    Raises:
        ValueError: `type` is not one of the protocol's checksum types.

    """
    return CHECKSUM_FUNCTIONS[ChecksumType(type)](data, seed)


def chunks_checksum(type: int, chunks: Iterable[bytes], seed: int = 0) -> int:
    """The checksum to *write* for a frame that carries `chunks`.

    Farmhash is written as tchannel-node, the only peer that has it, expects it: the fingerprint of
    the last chunk alone, without a seed.
    """
    if type == ChecksumType.FARMHASH:
        last = b""
        for last in chunks:  # noqa: B007 - the last one is what is wanted
            pass
        return fingerprint32(last)
    function = CHECKSUM_FUNCTIONS[type]
    for chunk in chunks:
        seed = function(chunk, seed)
    return seed if type else 0


_DEAR_SIZE = 4096
"""Bytes whose checksum in plain Python takes as long as a few dozen small frames."""


def is_dear(type: int, size: int) -> bool:
    """Whether the checksum of so many bytes is computed in plain Python, and takes long."""
    return size > _DEAR_SIZE and CHECKSUM_FUNCTIONS[type] in (
        fingerprint32_with_seed,
        crc32c_by_table,
    )


def verify_chunks(type: int, value: int, chunks: list[bytes], seed: int = 0) -> bool:
    """Whether `value` is right for a received frame that carries `chunks`.

    For farmhash three values are right: that of tchannel-node (the last chunk's fingerprint), the
    one that the protocol's text describes (chained over all chunks), and 0, because tchannel-go
    sends the type without computing a value.
    """
    if type == ChecksumType.NONE:
        return True
    if type == ChecksumType.FARMHASH:
        if value in (0, chunks_checksum(type, chunks)):
            return True
        for chunk in chunks:
            seed = fingerprint32_with_seed(chunk, seed)
        return value == seed
    return value == chunks_checksum(type, chunks, seed)
