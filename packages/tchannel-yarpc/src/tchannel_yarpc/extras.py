"""What to say where the extra ``protobuf`` is not installed."""

from __future__ import annotations

__all__ = ["protobuf_hint"]


def protobuf_hint(error: ImportError) -> ImportError:
    """Return the error for an import of protobuf that failed; what is broken inside it as it is."""
    # The package `google` is there with any other library of Google's.
    if isinstance(error, ModuleNotFoundError) and error.name in {"google", "google.protobuf"}:
        return ModuleNotFoundError(
            "this needs protobuf, which is not installed: pip install 'tchannel-yarpc[protobuf]'",
            name=error.name,
        )
    return error
