"""Recording and replaying of calls; implemented by the tchannel-testing distribution."""

from typing import TYPE_CHECKING

from ..._ground.optional import install_hint, submodules

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

if TYPE_CHECKING:
    from . import cassette as cassette
    from . import exceptions as exceptions
    from . import proxy as proxy
    from . import record_modes as record_modes
else:
    __getattr__ = submodules(
        __name__,
        {
            *("cassette", "exceptions", "proxy", "record_modes"),
            *("config", "patch", "server", "types", "yaml"),  # gone: each says so
        },
    )
