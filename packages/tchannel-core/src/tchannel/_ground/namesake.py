"""Uber's distribution ``tchannel``, whose files have the places that those of tchannel-core have.

Installers overwrite files of the same place without a word, and take away whatever a distribution
brought, whoever wrote it last. That ends in one of three ways, and each says so and names `CURE`:

- ours was unpacked last: `tchannel/__init__.py` finds a file that only theirs has, and warns (`beside`);
- theirs was unpacked last: their ``__init__`` imports ``tchannel.response`` before all else, and finds
  our package there, for a package goes before a module: `refuse_overwritten`;
- theirs was uninstalled and took our ``__init__`` along: Python then takes the module ``tchannel.py``,
  which stands beside this package and says it by itself.
"""

import sys
import warnings

__all__ = ["CURE", "beside", "refuse_overwritten"]

CURE = (
    "Run `pip uninstall tchannel tchannel-core` and then `pip install tchannel-core`;"
    " docs/migration.md of tchannel-core tells why."
)


def beside(folder: str) -> None:
    """Warn that files of Uber's distribution are left in the folder of this package."""
    warnings.warn(
        f"{folder} holds files of Uber's distribution 'tchannel' beside those of tchannel-core;"
        f" some modules are theirs now, and uninstalling 'tchannel' will take ours along. {CURE}",
        RuntimeWarning,
        stacklevel=3,
    )


def refuse_overwritten() -> None:
    """Look whether the package's ``__init__`` is still ours.

    Raises:
        ImportError: Uber's distribution was unpacked over it.

    """
    package = sys.modules["tchannel"]
    if not hasattr(package, "_HOMES"):
        raise ImportError(
            f"{package.__file__} is of Uber's distribution 'tchannel', which was installed over"
            f" tchannel-core; neither works now. {CURE}",
            name="tchannel",
        )
