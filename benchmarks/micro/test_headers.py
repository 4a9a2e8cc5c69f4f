"""Transport headers: repeated blocks come from a cache, new ones are taken apart."""

from __future__ import annotations

import itertools

from tchannel_wire.headers import decode_headers, encode_headers

HEADERS = {"as": "raw", "cn": "client", "re": "c"}


def test_headers_are_encoded(benchmark, header_block):
    assert benchmark(encode_headers, HEADERS) == header_block


def test_a_repeated_block_is_looked_up(benchmark, header_block):
    assert benchmark(decode_headers, header_block) == HEADERS


def test_a_block_never_seen_is_decoded(benchmark):
    # More different blocks than any cache keeps, so that each one is new when it comes.
    count = 20_000
    blocks = [encode_headers({"as": "raw", "cn": "client", "sk": f"{n:08}"}) for n in range(count)]
    rotation = itertools.cycle(blocks).__next__

    assert benchmark(lambda: decode_headers(rotation()))["cn"] == "client"
