"""``tchannel doctor --local``: what is wrong with an installation."""

import os
import subprocess
import sys
from importlib import metadata
from types import ModuleType

import pytest

from tchannel_tools.doctor.local import examine_installation, installed


class Installed(metadata.Distribution):
    """A distribution as its metadata has it."""

    def __init__(self, name: str, version: str, *requires: str) -> None:
        lines = [f"Name: {name}", f"Version: {version}", "Metadata-Version: 2.1"]
        self._text = "\n".join(lines + [f"Requires-Dist: {one}" for one in requires])

    def read_text(self, filename):
        return self._text if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


def found(*distributions, version=(3, 13), modules=("uvloop", "google_crc32c")):
    there = {one.metadata["Name"]: one for one in distributions}
    return {
        (one.check, str(one.verdict)): (one.text, one.mend)
        for one in examine_installation(there, version, modules.__contains__)
    }


WIRE = Installed("tchannel-wire", "0.1.0")
CORE = Installed("tchannel-core", "0.1.0", "tchannel-wire>=0.1,<1", 'uvloop; extra == "speed"')


def test_nothing_is_wrong_with_this_very_installation():
    assert [one for one in examine_installation(installed()) if one.verdict == "wrong"] == []


@pytest.mark.parametrize(
    ("there", "text"),
    [
        ((WIRE, CORE), "is installed beside tchannel-core"),
        ((), "is installed instead of tchannel-core"),
    ],
)
def test_ubers_package_is_told_with_what_to_do(there, text):
    told = found(*there, Installed("tchannel", "2.1.0"))

    said, mend = told["original", "wrong"]
    assert text in said
    assert "pip uninstall tchannel tchannel-core, then" in mend


def test_a_layer_that_others_stand_on_must_be_there():
    said, mend = found(CORE)["layers", "wrong"]
    assert (said, mend) == ("tchannel-wire is not installed", "pip install tchannel-wire")


def test_a_layer_that_nobody_needs_is_a_note():
    assert "tchannel-thrift (Thrift)" in found(WIRE, CORE)["layers", "note"][0]


def test_versions_that_do_not_fit_are_told_with_what_mends_them():
    told = found(Installed("tchannel-wire", "1.2"), CORE)

    said, mend = told["versions", "wrong"]
    assert said == "tchannel-core needs tchannel-wire<1,>=0.1, and 1.2 is installed"
    assert mend == "pip install 'tchannel-wire<1,>=0.1'"


def test_an_extra_that_nobody_asked_for_need_not_be_there():
    assert found(WIRE, CORE)["versions", "ok"] == ("fit together", "")


def test_what_makes_it_faster_is_noted_where_it_is_missing():
    told = found(WIRE, CORE, modules=())

    assert "tchannel-core[speed]" in told["uvloop", "note"][1]
    assert told["CRC-32C", "note"][1] == "pip install google-crc32c"


def test_an_old_python_is_told():
    assert found(WIRE, CORE, version=(3, 10))["Python", "wrong"][1] == "3.11 or newer is needed"


async def test_it_is_shown_with_its_exit_code(tool):
    ran = await tool("doctor", "--local")

    assert ran.code == 0
    assert "  ok       Python        " in ran.out
    assert ran.err.startswith("tchannel doctor: 0 wrong, ")


@pytest.fixture
def broken(tmp_path):
    """Run ``tchannel`` where the core cannot be imported."""
    (tmp_path / "tchannel").mkdir()
    (tmp_path / "tchannel" / "__init__.py").write_text("raise ImportError('it is another one')")

    def run(*argv):
        return subprocess.run(
            [sys.executable, "-m", "tchannel_tools", *argv],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_it_works_where_the_core_cannot_be_imported_which_is_when_it_is_needed(broken):
    ran = broken("doctor", "--local")

    assert ran.returncode == 124
    assert "  wrong    original      tchannel cannot be imported: it is another one\n" in ran.stdout
    assert "pip uninstall tchannel tchannel-core" in ran.stdout
    assert ran.stderr.startswith("tchannel doctor: 1 wrong, ")


@pytest.mark.parametrize("command", [["health", "svc"], ["call", "svc", "ep"], ["doctor", "h:1"]])
def test_other_commands_say_so_in_a_line(broken, command):
    ran = broken(*command)

    assert (ran.returncode, ran.stdout) == (125, "")
    assert ran.stderr == (
        f"tchannel {command[0]}: it is another one; "
        "`tchannel doctor --local` looks at the installation\n"
    )


def speedups(monkeypatch, parts):
    """tchannel-speedups as it is where it says that of its parts; None: not installed."""
    module = None
    if parts is not None:
        module = ModuleType("tchannel_speedups")
        module.active = lambda: parts
    monkeypatch.setitem(sys.modules, "tchannel_speedups", module)


def test_what_runs_natively_is_told_by_part(monkeypatch):
    speedups(monkeypatch, {"wire": "native", "core": "has no native ways in this version"})

    told = found(WIRE, CORE, Installed("tchannel-speedups", "0.1.0"))

    said, _ = told["speedups", "ok"]
    assert said == "tchannel-speedups 0.1.0: wire native, core has no native ways in this version"


def test_speedups_of_which_nothing_is_used_are_noted_with_the_reason(monkeypatch):
    speedups(monkeypatch, {"wire": "TCHANNEL_PURE is set"})

    said, _ = found(WIRE, CORE)["speedups", "note"]
    assert said == "tchannel-speedups: wire TCHANNEL_PURE is set"


def test_without_speedups_nothing_is_missed(monkeypatch):
    speedups(monkeypatch, None)

    said, _ = found(WIRE, CORE)["speedups", "skipped"]
    assert said == "tchannel-speedups is not installed; nothing needs it"
