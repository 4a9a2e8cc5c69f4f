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
    if isinstance(error, ModuleNotFoundError) and error.name in needs:
        return ModuleNotFoundError(
            f"this needs {error.name}, which is not installed:"
            f" pip install 'tchannel-observe[{extra}]'",
            name=error.name,
        )
    return error
