"""The cache for what repeats from call to call."""

from tchannel_wire.caches import MAX_BLOCK_SIZE, MAX_ENTRIES, BlockCache


def test_block_is_remembered_until_the_cache_is_full():
    cache = BlockCache()
    for number in range(MAX_ENTRIES):
        cache.keep(b"%d" % number, number)
    assert cache[b"0"] == 0
    assert len(cache) == MAX_ENTRIES

    cache.keep(b"one more", 1)

    assert cache == {b"one more": 1}


def test_large_block_is_not_worth_keeping():
    cache = BlockCache()
    cache.keep(bytes(MAX_BLOCK_SIZE), "kept")
    cache.keep(bytes(MAX_BLOCK_SIZE + 1), "not kept")

    assert list(cache.values()) == ["kept"]
