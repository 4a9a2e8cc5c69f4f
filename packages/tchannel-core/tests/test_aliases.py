"""The import paths of the user's documents that lead to other layers."""

import importlib
import sys
from types import ModuleType

import pytest

ALIASES = {
    "tchannel.thrift": ("tchannel_thrift", "tchannel_thrift"),
    "tchannel.thrift.client": ("tchannel_thrift", "tchannel_thrift"),
    "tchannel.thrift.module": ("tchannel_thrift", "tchannel_thrift"),
    "tchannel.thrift.rw": ("tchannel_thrift", "tchannel_thrift"),
    "tchannel.thrift.server": ("tchannel_thrift", "tchannel_thrift"),
    "tchannel.schemes.thrift": ("tchannel_thrift", "tchannel_thrift"),
    "tchannel.health": ("tchannel_thrift.meta", "tchannel_thrift"),
    "tchannel.health.health": ("tchannel_thrift.meta", "tchannel_thrift"),
    "tchannel.hyperbahn": ("tchannel_hyperbahn", "tchannel_hyperbahn"),
    "tchannel.testing": ("tchannel_testing", "tchannel_testing"),
    "tchannel.testing.vcr.cassette": ("tchannel_testing.vcr", "tchannel_testing"),
    "tchannel.testing.vcr.record_modes": ("tchannel_testing.vcr", "tchannel_testing"),
    "tchannel.testing.vcr": ("tchannel_testing.vcr", "tchannel_testing"),
    "tchannel.testing.vcr.exceptions": ("tchannel_testing.vcr.exceptions", "tchannel_testing"),
}
NAMES = {
    "tchannel.thrift": {
        "RequestBuilder",
        "TChannelThriftModule",
        "ThriftArgScheme",
        "ThriftRequest",
        "UndeclaredExceptionError",
        "client_for",
        "headers_of",
        "load",
        "register",
        "thrift_request_builder",
    },
    "tchannel.thrift.client": {"client_for"},
    "tchannel.thrift.module": {"thrift_request_builder"},
    "tchannel.thrift.rw": {"TChannelThriftModule", "load", "register"},
    "tchannel.thrift.server": {"register"},
    "tchannel.schemes.thrift": {"ThriftArgScheme"},
    "tchannel.testing.vcr.cassette": {"Cassette"},
    "tchannel.testing.vcr.record_modes": {"RecordMode"},
    "tchannel.health": {
        "HealthRequest",
        "HealthRequestType",
        "HealthState",
        "HealthStatus",
        "Meta",
        "ThriftIDLs",
        "VersionInfo",
        "health",
    },
    "tchannel.health.health": {
        "health",
        "meta",
    },
    "tchannel.hyperbahn": {
        "DnsSource",
        "FileSource",
        "HyperbahnSource",
        "InvalidServiceName",
        "NoPeersAvailable",
        "Router",
        "advertise",
        "discover",
        "unadvertise",
    },
    "tchannel.testing": {
        "Calls",
        "FakeService",
        "FaultProxy",
        "ManualClock",
        "Pair",
        "ReceivedCall",
        "clock",
        "data",
        "memory",
        "proxy",
        "service",
    },
    "tchannel.testing.vcr": {
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
    },
    "tchannel.testing.vcr.exceptions": {
        "CannotRecordInteractionsError",
        "InvalidCassetteError",
        "RequestNotFoundError",
        "UnknownMatcherError",
        "UnsupportedVersionError",
        "VCRError",
    },
}
# These ask their layer for a name when they are asked for it.
LAZY = {"tchannel.hyperbahn", "tchannel.testing"}


@pytest.fixture(autouse=True)
def unimported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test import the aliases anew, and leave what was imported as it was."""
    package = importlib.import_module("tchannel")
    for name in list(sys.modules):
        if name.partition(".")[0] in {"tchannel_thrift", "tchannel_hyperbahn", "tchannel_testing"}:
            monkeypatch.delitem(sys.modules, name)
    # What an alias puts there besides itself, too.
    for alias in (*ALIASES, "tchannel.health.health.meta"):
        # Set before it is deleted, so that it is deleted again at the end.
        monkeypatch.setitem(sys.modules, alias, ModuleType(alias))
        monkeypatch.delitem(sys.modules, alias)
        child = alias.split(".")[1]
        # In its dict: asking for the attribute would import it.
        monkeypatch.setitem(vars(package), child, None)
        monkeypatch.delitem(vars(package), child)


def install(monkeypatch: pytest.MonkeyPatch, alias: str) -> ModuleType:
    """Put stand-ins for the alias's layer where the aliases look for it; return its own."""
    dist = ALIASES[alias][1]
    for other, (layer, of_dist) in ALIASES.items():
        if of_dist == dist:
            for name in (dist, layer):
                if name not in sys.modules:
                    monkeypatch.setitem(sys.modules, name, ModuleType(name))
            for name in NAMES.get(other, ()):
                setattr(sys.modules[layer], name, object())
    return sys.modules[ALIASES[alias][0]]


class Missing:
    """An import finder to which some packages are not installed."""

    def __init__(self, *packages: str) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def uninstall(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    monkeypatch.setattr(sys, "meta_path", [Missing(*packages), *sys.meta_path])


@pytest.mark.parametrize("alias", ALIASES)
def test_without_its_layer_an_alias_says_what_to_install(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = ALIASES[alias][1]
    uninstall(monkeypatch, needs)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {needs.replace('_', '-')}"):
        importlib.import_module(alias)


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if alias.count(".") == 1])
def test_from_tchannel_import_gives_the_same_hint(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = ALIASES[alias][1]
    uninstall(monkeypatch, needs)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {needs.replace('_', '-')}"):
        exec(f"from tchannel import {alias.split('.')[1]}", {})


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if alias.count(".") == 1])
def test_the_attribute_of_the_package_gives_the_same_hint(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tchannel, needs = importlib.import_module("tchannel"), ALIASES[alias][1]
    uninstall(monkeypatch, needs)
    name = alias.split(".")[1]

    with pytest.raises(AttributeError, match=f"pip install {needs.replace('_', '-')}"):
        getattr(tchannel, name)
    assert not hasattr(tchannel, name)


@pytest.mark.parametrize("alias", NAMES)
def test_with_its_layer_an_alias_has_its_names(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = install(monkeypatch, alias)
    module = importlib.import_module(alias)
    assert set(module.__all__) == NAMES[alias]
    for name in module.__all__:
        assert getattr(module, name) is getattr(layer, name)


def test_the_handler_health_stands_beside_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = install(monkeypatch, "tchannel.health")
    package = importlib.import_module("tchannel.health")
    submodule = importlib.import_module("tchannel.health.health")
    assert package.health is layer.health  # type: ignore[attr-defined] # made by hand
    assert submodule.meta is layer.meta  # type: ignore[attr-defined] # made by hand


@pytest.mark.parametrize("alias", [alias for alias in NAMES if alias not in LAZY])
def test_a_layer_without_the_names_is_to_be_upgraded(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = install(monkeypatch, alias)
    for name in list(vars(layer)):
        if not name.startswith("__"):
            delattr(layer, name)
    with pytest.raises(ImportError, match="pip install --upgrade"):
        importlib.import_module(alias)


@pytest.mark.parametrize("alias", sorted(LAZY))
def test_a_lazy_alias_has_no_other_names(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = install(monkeypatch, alias)
    layer.secret = 1  # type: ignore[attr-defined] # a module made by hand
    module = importlib.import_module(alias)
    assert not hasattr(module, "secret")
    assert NAMES[alias] <= set(dir(module))


def test_missing_layers_leave_the_package_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    import tchannel

    uninstall(monkeypatch, "tchannel_thrift", "tchannel_hyperbahn", "tchannel_testing")
    exec("from tchannel import *", {})
    assert not hasattr(tchannel, "thrift")
    assert {"thrift", "hyperbahn", "testing", "health"}.isdisjoint(tchannel.__all__)
    assert {"thrift", "hyperbahn", "testing", "health"}.isdisjoint(dir(tchannel))
