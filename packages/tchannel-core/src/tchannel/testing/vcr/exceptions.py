"""What recording and replaying raise; implemented by the tchannel-testing distribution."""

from ..._ground.optional import install_hint

try:
    from tchannel_testing.vcr.exceptions import (
        CannotRecordInteractionsError,
        InvalidCassetteError,
        RequestNotFoundError,
        UnknownMatcherError,
        UnsupportedVersionError,
        VCRError,
    )
except ImportError as _error:
    raise install_hint(_error, needs="tchannel_testing", dist="tchannel-testing") from None

__all__ = [
    "CannotRecordInteractionsError",
    "InvalidCassetteError",
    "RequestNotFoundError",
    "UnknownMatcherError",
    "UnsupportedVersionError",
    "VCRError",
]
