"""The proxy that recorded."""

from ..._ground.replaced import replaced

raise replaced(
    __name__,
    "calls are recorded in the process itself, without a proxy: vcr.use_cassette is all"
    " there is to it",
)
