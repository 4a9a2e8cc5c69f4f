"""Recording and replaying of calls; implemented by the tchannel-testing distribution."""

from ..._ground.optional import install_hint

try:
    from tchannel_testing.vcr import (
        DEFAULT_MATCHERS,
        MATCHERS,
        BeforeRecord,
        CannotRecordInteractionsError,
        Cassette,
        CassetteContext,
        Failure,
        Interaction,
        InvalidCassetteError,
        Matcher,
        RecordMode,
        Request,
        RequestNotFoundError,
        Response,
        UnknownMatcherError,
        UnsupportedVersionError,
        VCRError,
        use_cassette,
    )
except ImportError as _error:
    raise install_hint(_error, needs="tchannel_testing", dist="tchannel-testing") from None

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
