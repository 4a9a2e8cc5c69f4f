"""What a channel has done, and what it is doing: the snapshot that `TChannel.stats` returns.

::

    before = channel.stats()
    await asyncio.sleep(10)
    window = channel.stats().since(before)
    for row in window.incoming:
        print(row.service, row.endpoint, row.ended / window.seconds, row.latency.percentile(99))

All times are seconds, all sizes bytes. Counts only ever grow while a channel lives; `Snapshot.since`
makes those of a window of two snapshots. `Snapshot.to_dict` gives what JSON takes, and
`Snapshot.from_dict` reads it again, in another process for instance.

The number of rows is bounded (`Options.max_stats_rows`): what has no row of its own any more is summed
under the name `OTHERS`, so that callers with ever new names cost nothing.
"""

from .calls import CallEnded, CallInFlight, CallStats, EndedCall
from .histogram import BOUNDS as BOUNDS
from .histogram import BUCKETS as BUCKETS
from .histogram import Histogram
from .histogram import bucket_of as bucket_of
from .links import ConnectionStats, Limit, LoopLag, PeerStats
from .outcomes import (
    APP_ERROR,
    CONNECTION_LOST,
    NO_PEER,
    OTHER_ERROR,
    OTHERS,
    OUTCOME_OF_CODE,
    SUCCESS,
)
from .snapshot import Snapshot

__all__ = [
    "APP_ERROR",
    "CONNECTION_LOST",
    "NO_PEER",
    "OTHERS",
    "OTHER_ERROR",
    "OUTCOME_OF_CODE",
    "SUCCESS",
    "CallEnded",
    "CallInFlight",
    "CallStats",
    "ConnectionStats",
    "EndedCall",
    "Histogram",
    "Limit",
    "LoopLag",
    "PeerStats",
    "Snapshot",
]
