"""Farmhash Fingerprint32, the checksum type 2 of tchannel-node.

Written out in plain Python: it is slow (about a microsecond per 4 bytes), and no peer uses it
unless told to. The constants and steps are those of the 32-bit MurmurHash family that farmhash
builds on.
"""

from __future__ import annotations

from struct import Struct

__all__ = ["fingerprint32", "fingerprint32_with_seed"]

_MASK = 0xFFFFFFFF
_C1 = 0xCC9E2D51
_C2 = 0x1B873593

_WORD = Struct("<I")
_BLOCK = Struct("<5I")


def fingerprint32(data: bytes) -> int:
    """The 32-bit fingerprint of `data`, as farmhash defines it for every platform."""
    length = len(data)
    if length <= 4:
        return _hash_0_to_4(data, 0)
    if length <= 12:
        return _hash_5_to_12(data, 0)
    if length <= 24:
        return _hash_13_to_24(data, 0)
    return _hash_long(data)


def fingerprint32_with_seed(data: bytes, seed: int) -> int:
    """The fingerprint of `data` that follows `seed`, the fingerprint of what came before.

    A seed of 0 means that nothing came before: the plain fingerprint.
    """
    if not seed:
        return fingerprint32(data)
    length = len(data)
    if length <= 4:
        return _hash_0_to_4(data, seed)
    if length <= 12:
        return _hash_5_to_12(data, seed)
    if length <= 24:
        return _hash_13_to_24(data, seed * _C1 & _MASK)
    head = _hash_13_to_24(data[:24], (seed ^ length) & _MASK)
    return _mur((fingerprint32(data[24:]) + seed) & _MASK, head)


def _rotate(value: int, shift: int) -> int:
    return (value >> shift | value << (32 - shift)) & _MASK


def _mix(h: int) -> int:
    h ^= h >> 16
    h = h * 0x85EBCA6B & _MASK
    h ^= h >> 13
    h = h * 0xC2B2AE35 & _MASK
    return h ^ h >> 16


def _mur(a: int, h: int) -> int:
    a = _rotate(a * _C1 & _MASK, 17) * _C2 & _MASK
    return (_rotate(h ^ a, 19) * 5 + 0xE6546B64) & _MASK


def _hash_0_to_4(data: bytes, seed: int) -> int:
    b, c = seed, 9
    for byte in data:
        # The original reads signed chars.
        b = (b * _C1 + (byte - 256 if byte > 127 else byte)) & _MASK
        c ^= b
    return _mix(_mur(b, _mur(len(data), c)))


def _hash_5_to_12(data: bytes, seed: int) -> int:
    length = len(data)
    word = _WORD.unpack_from
    a = (length + word(data, 0)[0]) & _MASK
    b = (length * 5 + word(data, length - 4)[0]) & _MASK
    c = (9 + word(data, length >> 1 & 4)[0]) & _MASK
    d = (length * 5 + seed) & _MASK
    return _mix(seed ^ _mur(c, _mur(b, _mur(a, d))))


def _hash_13_to_24(data: bytes, seed: int) -> int:
    length = len(data)
    word = _WORD.unpack_from
    a = word(data, (length >> 1) - 4)[0]
    b = word(data, 4)[0]
    c = word(data, length - 8)[0]
    d = word(data, length >> 1)[0]
    e = word(data, 0)[0]
    f = word(data, length - 4)[0]
    h = (d * _C1 + length + seed) & _MASK
    a = (_rotate(a, 12) + f) & _MASK
    h = (_mur(c, h) + a) & _MASK
    a = (_rotate(a, 3) + c) & _MASK
    h = (_mur(e, h) + a) & _MASK
    a = (_rotate((a + f) & _MASK, 12) + d) & _MASK
    h = (_mur(b ^ seed, h) + a) & _MASK
    return _mix(h)


def _hash_long(data: bytes) -> int:
    length = len(data)
    h = length & _MASK
    g = f = _C1 * length & _MASK

    def tail(back: int) -> int:
        word: int = _WORD.unpack_from(data, length - back)[0]
        return _rotate(word * _C1 & _MASK, 17) * _C2 & _MASK

    for back in (4, 16):
        h = (_rotate(h ^ tail(back), 19) * 5 + 0xE6546B64) & _MASK
    for back in (8, 12):
        g = (_rotate(g ^ tail(back), 19) * 5 + 0xE6546B64) & _MASK
    f = (_rotate((f + tail(20)) & _MASK, 19) + 113) & _MASK

    # `_mur` and `_rotate` are written out, and masked only where a shift needs it: three times as fast,
    # so that whoever sends such checksums keeps others waiting a third as long.
    for a, b, c, d, e in _BLOCK.iter_unpack(data[: (length - 1) // 20 * 20]):
        h = h + a & _MASK
        g = g + b & _MASK
        f = f + c & _MASK
        k = d * _C1 & _MASK
        h ^= (k >> 17 | k << 15) * _C2 & _MASK
        h = (h >> 19 | h << 13 & _MASK) * 5 + 0xE6546B64 + e & _MASK
        k = c * _C1 & _MASK
        g ^= (k >> 17 | k << 15) * _C2 & _MASK
        g = (g >> 19 | g << 13 & _MASK) * 5 + 0xE6546B64 + a & _MASK
        k = (b + e * _C1) * _C1 & _MASK
        f ^= (k >> 17 | k << 15) * _C2 & _MASK
        f = (f >> 19 | f << 13 & _MASK) * 5 + 0xE6546B64 + d + g & _MASK
        g = g + f & _MASK

    g = _rotate(_rotate(g, 11) * _C1 & _MASK, 17) * _C1 & _MASK
    f = _rotate(_rotate(f, 11) * _C1 & _MASK, 17) * _C1 & _MASK
    for other in (g, f):
        h = (_rotate((h + other) & _MASK, 19) * 5 + 0xE6546B64) & _MASK
        h = _rotate(h, 17) * _C1 & _MASK
    return h
