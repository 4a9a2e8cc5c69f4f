"""The aliases of the layers that are installed beside this one equal what they alias."""

import importlib
import importlib.util

ALIASES = {
    "tchannel.thrift": "tchannel_thrift",
    "tchannel.health": "tchannel_thrift.meta",
    "tchannel.hyperbahn": "tchannel_hyperbahn",
    "tchannel.tcurl": "tchannel_tools.tcurl",
    "tchannel.testing": "tchannel_testing",
    "tchannel.testing.vcr": "tchannel_testing.vcr",
    "tchannel.testing.vcr.exceptions": "tchannel_testing.vcr.exceptions",
}
# What an alias leaves to another: the version to the distribution, `meta` to tchannel.health.health,
# `vcr` to its own alias.
ELSEWHERE = {"__version__", "meta", "vcr"}
INSTALLED = [
    alias for alias, layer in ALIASES.items() if importlib.util.find_spec(layer.partition(".")[0])
]


def test_aliases_have_the_names_of_their_layers() -> None:
    for alias in INSTALLED:
        layer = importlib.import_module(ALIASES[alias])
        module = importlib.import_module(alias)
        assert set(module.__all__) == set(layer.__all__) - ELSEWHERE, alias
        for name in module.__all__:
            assert getattr(module, name) is getattr(layer, name), name
