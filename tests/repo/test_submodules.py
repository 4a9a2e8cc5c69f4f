"""After ``import tchannel`` alone, every public module is there as an attribute, in every layer."""

import importlib
import pkgutil
import subprocess
import sys
import textwrap

import pytest

import tchannel

GONE = {
    *("container", "deprecate", "enum", "frame", "io", "messages", "peer_heap", "peer_strategy"),
    *("rw", "serializer", "tornado", "zipkin"),
}
MODULES = [
    *(
        name
        for _, name, _ in pkgutil.iter_modules(tchannel.__path__)
        if not name.startswith("_") and name not in GONE
    ),
    *("schemes.json", "schemes.raw", "schemes.thrift"),
    *("sync.client", "sync.singleton", "sync.thrift"),
    *("testing.data", "testing.vcr", "testing.vcr.cassette", "testing.vcr.exceptions"),
    *("testing.vcr.proxy", "testing.vcr.record_modes"),
    *("thrift.client", "thrift.module", "thrift.rw", "thrift.server"),
]


def test_every_public_module_is_an_attribute_without_a_word_of_import():
    code = f"""
        import sys, types
        from operator import attrgetter

        for path in {MODULES!r}:
            # As nothing else has imported it.
            for module in [one for one in sys.modules if one.partition(".")[0] == "tchannel"]:
                del sys.modules[module]
            import tchannel
            assert isinstance(attrgetter(path)(tchannel), types.ModuleType), path
        """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize(
    ("package", "name", "instead"),
    [
        ("tchannel.thrift", "reflection", "__services__"),
        ("tchannel.thrift", "serializer", r"channel\.thrift"),
        ("tchannel.testing.vcr", "patch", r"tchannel\.interceptors"),
        ("tchannel.testing.vcr", "yaml", "PyYAML"),
    ],
)
def test_what_is_gone_from_a_layer_says_so_as_an_attribute(package, name, instead):
    module = importlib.import_module(package)

    with pytest.raises(AttributeError, match=instead):
        getattr(module, name)
    assert not hasattr(module, "no_such_name")
