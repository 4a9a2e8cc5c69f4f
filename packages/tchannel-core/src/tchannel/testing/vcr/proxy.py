"""Errors of recording under the path that tchannel-python had; implemented by tchannel-testing."""

from typing import TYPE_CHECKING

from ..._ground.replaced import refuse_names
from .exceptions import CannotRecordInteractionsError

__all__ = ["CannotRecordInteractionsError"]

if not TYPE_CHECKING:
    _NO_PROXY = (
        "calls are recorded in the process itself, without a proxy: their errors are those of"
        " tchannel.errors, and what goes wrong with a cassette is in tchannel.testing.vcr.exceptions"
    )
    __getattr__ = refuse_names(
        __name__,
        dict.fromkeys(
            ("NoPeersAvailableError", "RemoteServiceError", "VCRServiceError", "VCRProxy"),
            _NO_PROXY,
        ),
    )
