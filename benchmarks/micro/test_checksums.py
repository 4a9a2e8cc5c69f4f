"""Checksums of a small call's args and of a full frame."""

from __future__ import annotations

import pytest

from tchannel_wire.checksums import ChecksumType, checksum, chunks_checksum, crc32c_by_table

TYPES = [ChecksumType.CRC32, ChecksumType.CRC32C, ChecksumType.FARMHASH]


@pytest.mark.parametrize("type", TYPES, ids=lambda one: one.name)
@pytest.mark.parametrize("size", [16, 64 * 1024])
def test_bytes_are_summed(benchmark, type, size):
    assert benchmark(checksum, type, bytes(range(256)) * (size // 256) or bytes(range(size))) > 0


@pytest.mark.parametrize("type", TYPES[:2], ids=lambda one: one.name)
def test_the_chunks_of_a_small_call_are_summed(benchmark, type):
    chunks = [b"echo", b"", bytes(range(16))]

    assert benchmark(chunks_checksum, type, chunks) == checksum(type, b"".join(chunks))


def test_crc32c_without_a_c_library_is_summed_by_table(benchmark):
    data = bytes(range(256)) * 4

    assert benchmark(crc32c_by_table, data) == checksum(ChecksumType.CRC32C, data)
