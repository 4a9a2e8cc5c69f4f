"""The command tcurl by the core's name for it: it comes with tchannel-tools."""

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

# tchannel-tools is not there, or a stand-in is; then the module is run as by `python -m`.
RUN = """
import runpy, sys
from types import ModuleType

class Missing:
    def find_spec(name, path=None, target=None):
        if name == "tchannel_tools":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

if {there}:
    layer = sys.modules["tchannel_tools.tcurl"] = ModuleType("tchannel_tools.tcurl")
    layer.main = lambda: print("called with", sys.argv[1:]) or 7
    sys.modules["tchannel_tools"] = ModuleType("tchannel_tools")
else:
    sys.meta_path.insert(0, Missing)
runpy.run_module("tchannel.tcurl", run_name="__main__", alter_sys=True)
"""


def run(*, there: bool) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN.format(there=there), "svc", "ep"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class Missing:
    """An import finder to which tchannel-tools is not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "tchannel_tools":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture
def without_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "tchannel_tools"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])


def test_without_tchannel_tools_the_module_says_in_one_line_what_to_install() -> None:
    done = run(there=False)

    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == (
        "tcurl: this needs tchannel-tools, which is not installed: pip install tchannel-tools\n"
    )


def test_with_tchannel_tools_the_module_is_the_command() -> None:
    done = run(there=True)

    assert (done.returncode, done.stdout, done.stderr) == (7, "called with ['svc', 'ep']\n", "")


@pytest.mark.usefixtures("without_tools")
def test_without_tchannel_tools_the_function_says_what_to_install() -> None:
    with pytest.raises(ModuleNotFoundError, match="pip install tchannel-tools"):
        exec("from tchannel.tcurl import main", {})


def test_the_function_is_that_of_tchannel_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = ModuleType("tchannel_tools.tcurl")
    layer.main = lambda argv=None: 0  # type: ignore[attr-defined] # a module made by hand
    layer.secret = 1  # type: ignore[attr-defined] # a module made by hand
    monkeypatch.setitem(sys.modules, "tchannel_tools", ModuleType("tchannel_tools"))
    monkeypatch.setitem(sys.modules, "tchannel_tools.tcurl", layer)

    module = importlib.import_module("tchannel.tcurl")

    assert module.main is layer.main  # type: ignore[attr-defined] # a module made by hand
    assert not hasattr(module, "secret")
    assert set(module.__all__) == {"main"} <= set(dir(module))
