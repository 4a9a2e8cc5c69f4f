"""What is used where: offered, refused, switched off."""

import json
import logging
import os
import subprocess
import sys

import pytest

import tchannel_speedups
import tchannel_wire
from tchannel_speedups import parts


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter says that imports the packages in its own way."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


ACTIVE = "import json, tchannel_wire, tchannel_speedups as s; print(json.dumps(s.active()))"


@pytest.fixture
def fresh(monkeypatch):
    """No part has been offered yet, and nothing was said."""
    monkeypatch.setattr(parts, "_state", {})
    monkeypatch.setattr(parts, "_replaced", {})
    monkeypatch.setattr(parts, "_told", set())


def test_wire_runs_natively_once_it_is_imported():
    said = json.loads(run(ACTIVE).stdout)

    assert said["wire"] == "native"
    assert said["core"] == "not imported"


def test_nothing_need_be_imported_first():
    done = run("import tchannel_speedups as s; print(s.active()['wire']); import tchannel_wire")

    assert done.stdout == "not imported\n"
    assert done.stderr == ""


def test_one_variable_switches_it_off_without_a_word():
    done = run(ACTIVE, TCHANNEL_PURE="1")

    assert json.loads(done.stdout)["wire"] == "TCHANNEL_PURE is set"
    assert done.stderr == ""


def test_a_variable_that_says_0_switches_nothing_off():
    assert json.loads(run(ACTIVE, TCHANNEL_PURE="0").stdout)["wire"] == "native"


def test_another_layout_is_refused_with_one_line(fresh, caplog):
    before = tchannel_wire.Connection.__dict__["receive"]

    parts.offer("wire", parts.LAYOUTS["wire"] + 1)
    parts.offer("wire", parts.LAYOUTS["wire"] + 1)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.name == "tchannel_speedups"
    assert "not used for wire: it has layout 2, tchannel-speedups is for layout 1" in caplog.text
    assert "layout 2" in tchannel_speedups.active()["wire"]
    assert tchannel_wire.Connection.__dict__["receive"] is before


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("outbox.Outbox.nothing", "AttributeError"),
        ("connection.Connection.call", "has no call of its own"),
        ("nowhere.Outbox", "ModuleNotFoundError"),
        ("outbox.DEFAULT_LIMIT", "Outbox must be a class"),
        ("memory.MemoryBudget", "has no attribute 'frames'"),
    ],
)
def test_a_package_that_has_something_no_more_is_refused(fresh, caplog, monkeypatch, name, error):
    from tchannel_speedups import wire

    monkeypatch.setattr(wire, "OBJECTS", {**wire.OBJECTS, "Outbox": name})

    parts.offer("wire", parts.LAYOUTS["wire"])

    (record,) = caplog.records
    assert error in record.getMessage()
    assert tchannel_speedups.active()["wire"] != "native"


@pytest.mark.parametrize(
    ("what", "value", "reason"),
    [
        ("version", "3.13.0 experimental free-threading build", "this Python is free-threaded"),
        ("implementation", type("Pypy", (), {"name": "pypy"}), "made for CPython, not for pypy"),
    ],
)
def test_what_it_is_not_made_for_is_told_once_for_all_parts(
    fresh, caplog, monkeypatch, what, value, reason
):
    monkeypatch.setattr(parts, "LAYOUTS", {"wire": 1, "thrift": 1})
    monkeypatch.setattr(sys, what, value)

    parts.offer("wire", 1)
    parts.offer("thrift", 1)

    (record,) = caplog.records
    assert reason in record.getMessage()
    assert reason in tchannel_speedups.active()["thrift"]


def test_a_part_without_native_ways_is_no_reason_to_say_anything(fresh, caplog, monkeypatch):
    monkeypatch.setattr(parts, "LAYOUTS", {"wire": 1})

    parts.offer("core", 1)

    assert caplog.records == []
    assert tchannel_speedups.active()["core"] == "has no native ways in this version"


# Ways to run code in another interpreter of this process, as the Pythons have them.
SUBINTERPRETER = """
import sys
code = {code!r}
try:
    from concurrent import interpreters  # 3.14
    interpreters.create().exec(code)
except ImportError:
    try:
        import _interpreters  # 3.13
        made = _interpreters.create({config!r})
        failed = _interpreters.exec(made, code)
    except ImportError:
        import _xxsubinterpreters  # 3.11, 3.12
        made = _xxsubinterpreters.create(**{options!r})
        failed = _xxsubinterpreters.run_string(made, code)
    assert failed is None, failed
"""


@pytest.mark.parametrize("config", ["legacy", "isolated"])
def test_in_a_subinterpreter_the_python_way_serves_with_one_line(config):
    code = f"import sys; sys.path[:] = {sys.path!r}\nimport logging; logging.basicConfig(stream=sys.stdout)\n"
    code += "import tchannel_wire, tchannel_speedups\n"
    code += "print(tchannel_speedups.active()['wire'] != 'native')\nsys.stdout.flush()"
    options = {"isolated": config == "isolated"}

    done = run(SUBINTERPRETER.format(code=code, config=config, options=options))

    assert done.stdout.count("WARNING:tchannel_speedups:tchannel-speedups is not used: ") == 1
    assert done.stdout.endswith("True\n")


def test_what_was_undone_is_python_and_what_is_offered_again_is_native(purely):
    native = tchannel_wire.Connection.__dict__["receive"]
    with purely("wire"):
        python = tchannel_wire.Connection.__dict__["receive"]
        assert python is native.__wrapped__
        assert tchannel_speedups.active()["wire"] == "undone"

    assert tchannel_wire.Connection.__dict__["receive"] is not python


def test_a_native_method_tells_what_its_python_function_tells():
    import inspect

    native = tchannel_wire.Connection.call
    python = native.__wrapped__

    assert inspect.signature(native) == inspect.signature(python)
    assert (native.__name__, native.__qualname__) == ("call", "OutboundSide.call")
    assert (native.__doc__, native.__module__) == (python.__doc__, python.__module__)
    assert inspect.isroutine(native)


def test_a_native_method_is_made_by_nobody_else_and_keeps_what_it_has():
    native = tchannel_wire.Connection.call

    with pytest.raises(TypeError, match="cannot create"):
        type(native)()
    with pytest.raises(AttributeError):
        native.__wrapped__ = None


def test_the_package_exports_what_it_documents():
    for name in tchannel_speedups.__all__:
        assert hasattr(tchannel_speedups, name)
