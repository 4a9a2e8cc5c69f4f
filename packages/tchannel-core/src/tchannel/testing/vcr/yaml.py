"""How cassettes are written."""

from ..._ground.replaced import replaced

raise replaced(
    __name__,
    "PyYAML reads and writes YAML; a cassette is opened by vcr.use_cassette or vcr.Cassette",
)
