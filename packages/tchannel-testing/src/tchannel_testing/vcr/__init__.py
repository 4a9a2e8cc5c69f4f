"""Record the calls of a test into a file once, and replay them from it ever after.

::

    from tchannel.testing import vcr

    @vcr.use_cassette("tests/data/bar.yaml")
    async def test_bar():
        response = await client.json("service", "endpoint", {"key": "value"})

VCR stands in the interceptor seam of ``tchannel``, above retries and the choice of a peer: a replay
needs no network. Files are those of tchannel-python.
"""

from .cassette import BeforeRecord, Cassette
from .exceptions import (
    CannotRecordInteractionsError,
    InvalidCassetteError,
    RequestNotFoundError,
    UnknownMatcherError,
    UnsupportedVersionError,
    VCRError,
)
from .interaction import Failure, Interaction, Request, Response
from .matchers import DEFAULT_MATCHERS, MATCHERS, Matcher
from .record_mode import RecordMode
from .use import CassetteContext, use_cassette

__all__ = [
    "DEFAULT_MATCHERS",
    "MATCHERS",
    "BeforeRecord",
    "CannotRecordInteractionsError",
    "Cassette",
    "CassetteContext",
    "Failure",
    "Interaction",
    "InvalidCassetteError",
    "Matcher",
    "RecordMode",
    "Request",
    "RequestNotFoundError",
    "Response",
    "UnknownMatcherError",
    "UnsupportedVersionError",
    "VCRError",
    "use_cassette",
]
