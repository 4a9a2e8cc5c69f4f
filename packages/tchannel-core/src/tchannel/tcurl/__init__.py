"""tcurl: calls from the command line; implemented by the tchannel-tools distribution.

``python -m tchannel.tcurl`` is the command ``tcurl``; `main` is the same as a function.
"""

from typing import TYPE_CHECKING

from .._ground.optional import import_layer

if TYPE_CHECKING:
    from tchannel_tools.tcurl import main

__all__ = ["main"]


# Asked for by its name alone, so that ``python -m`` can say in one line what is to be installed.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_layer("tchannel_tools.tcurl", dist="tchannel-tools"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
