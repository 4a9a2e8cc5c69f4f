"""What to say where an extra is not installed."""

from __future__ import annotations

__all__ = ["extra_hint"]


def extra_hint(error: ImportError, extra: str, *needs: str) -> ImportError:
    """Return the error to raise for an import that failed.

    Args:
        error: What the import raised; what is broken inside of a package stays as it is.
        extra: The extra that brings what is needed.
        *needs: The modules that it brings.

    """
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    for need in sorted(needs, reverse=True):  # the narrower first
        if missing is not None and f"{missing}.".startswith(f"{need}."):
            return ModuleNotFoundError(
                f"this needs {need}, which is not installed:"
                f" pip install 'tchannel-observe[{extra}]'",
                name=need,
            )
    return error
