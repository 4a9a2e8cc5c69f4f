"""The medium struct's values, the same for every contender with Thrift."""

from __future__ import annotations

from typing import Any


def medium_fields() -> dict[str, Any]:
    """Field values of `Medium`, with `position` as the fields of a `Point`."""
    return {
        "active": True,
        "level": 7,
        "port": 21300,
        "count": 1_234_567,
        "created": 1_700_000_000_000,
        "score": 0.75,
        "name": "medium struct",
        "description": "twelve mixed fields, a nested struct, twenty ints and five map entries",
        "token": bytes(range(48)),
        "position": {"latitude": 55.676, "longitude": 12.568},
        "samples": [n * 1_000_003 % 2_147_483_647 for n in range(20)],
        "totals": {f"total-{n}": n * 10_000_000_019 for n in range(5)},
    }
