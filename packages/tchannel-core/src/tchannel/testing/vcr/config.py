"""How cassettes are opened."""

from ..._ground.replaced import replaced

raise replaced(
    __name__,
    "tchannel.testing.vcr.use_cassette opens them",
)
