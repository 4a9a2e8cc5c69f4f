"""The layers point one way: what each distribution may import, proved by parsing every import.

Rules:

- At import time a package imports the standard library, itself, the layers below it, and what its
  distribution declares as dependencies. Nothing else.
- On first use, that is inside a function, in ``try``/``except ImportError``, or in a module that exists
  for an optional extra, it may also import what its distribution declares as an extra. Of the core,
  the few modules of `REACH_UP` find in the layers above it what is named there.
- Code under ``if TYPE_CHECKING:`` is not run, and the core's alias modules exist to import upper
  layers; both are exempt.
- ``tchannel_wire`` and ``tchannel_thrift.rw`` stand alone.
- What others use of ``tchannel_wire`` they import from the package, not from its modules.
- Within the core and the tools the wings point one way as well, lazy imports included, and no module of
  any package imports another in a circle.
"""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# Package -> the layers below it.
BELOW = {
    "tchannel_wire": set(),
    "tchannel": {"tchannel_wire"},
    "tchannel_thrift": {"tchannel_wire", "tchannel"},
    "tchannel_hyperbahn": {"tchannel_wire", "tchannel"},
    "tchannel_testing": {"tchannel_wire", "tchannel"},
    "tchannel_yarpc": {"tchannel_wire", "tchannel"},
    "tchannel_observe": {"tchannel_wire", "tchannel"},
    "tchannel_speedups": {"tchannel_wire"},
    "tchannel_tools": {
        "tchannel_wire",
        "tchannel",
        "tchannel_thrift",
        "tchannel_hyperbahn",
        "tchannel_testing",
    },
}
LAYERS = set(BELOW)

# Where a package may import, on first use only, something that its distribution does not depend on.
LAZY = {
    "tchannel_wire": {
        "google_crc32c": "the fast CRC-32C, where it happens to be installed",
        "crc32c": "another fast CRC-32C",
        "tchannel_speedups": "native ways, where they are installed",
    },
    "tchannel": {"uvloop": "the extra [speed]"},
    "tchannel_thrift": {
        "thriftrw": "the extra [thriftrw]",
        "thrift": "modules made by Apache Thrift",
        "tchannel_speedups": "native ways, where they are installed",
    },
    "tchannel_hyperbahn": {"tchannel_thrift": "the extra [discover]"},
    "tchannel_tools": {
        "uvloop": "the extra [speed] of the core",
        "tchannel_speedups": "what runs natively is told, where it is installed",
    },
    "tchannel_yarpc": {"tchannel_thrift": "the extra [thrift]"},
    "tchannel_observe": {},
    "tchannel_speedups": {},
    "tchannel_testing": {
        "pytest": "the pytest plug-in, which pytest itself loads",
        "tchannel_thrift": "doubles of Thrift services",
        "tchannel_hyperbahn": "the router fixture",
        "tornado": "tests marked gen_test run on an IOLoop; it comes with tchannel-core",
    },
}

# Package -> its parts that exist for an extra -> what they import that it brings, at import time too.
OF_EXTRAS = {
    "tchannel_observe": {
        "otel": {"opentelemetry"},
        "prometheus": {"prometheus_client"},
        "page": {"tornado"},
    },
}

# The modules of the core that reach up on first use, and what they take there; no other may, nor more.
REACH_UP = {
    "tchannel.schemes": {"tchannel_thrift.ThriftArgScheme"},  # of the known scheme "thrift"
    "tchannel._ground.speedups": {"tchannel_speedups.offer"},  # native ways, where installed
    "tchannel.sync.thrift": {"tchannel_thrift"},  # its clients, to be called from threads
    "tchannel._life.advertising": {"tchannel_hyperbahn"},  # for advertise()
}

# The core's modules that only give an upper layer its documented name, and the modules that pytest loads.
ALIASES = re.compile(r"tchannel\.(thrift|schemes\.thrift|hyperbahn|testing|health|tcurl)(\.\w+)*")
PYTEST_PLUGIN = re.compile(r"tchannel_testing\.(pytest_plugin|plugin)(\.\w+)*")

# Package -> its wings -> the wings below each; of the core see docs/inside.md. A command counts as one.
WINGS = {
    "tchannel": {
        "_ground": set(),
        "_sight": {"_ground"},
        "_serving": {"_sight", "_ground"},
        "_links": {"_serving", "_sight", "_ground"},
        "_life": {"_links", "_serving", "_sight", "_ground"},
        "_calls": {"_sight", "_ground"},
    },
    "tchannel_tools": {
        "_terminal": set(),
        "_values": {"_terminal"},
        "_idl": {"_terminal"},
        "_settings": {"_terminal"},
        "_calling": {"_settings", "_idl", "_values", "_terminal"},
        "_captures": {"_terminal"},
        "_recordings": {"_calling", "_captures", "_terminal"},
        "tcurl": {"_calling", "_idl", "_values", "_terminal"},
        "decode": {"_calling", "_captures", "_idl", "_values", "_terminal"},
        "wireshark": {"_terminal"},
        "migrate": {"_terminal"},
        "pages": {"_terminal"},
        "services": {"_calling", "_idl", "_terminal"},
        "top": {"_calling", "_terminal"},
        "routing": {"_calling", "_terminal"},
        "doctor": {"_calling", "_terminal"},
        "contexts": {"_calling", "_settings", "_terminal"},
        "development": {"_terminal"},
        "tap": {"decode", "_captures", "_idl", "_terminal"},
        "record": {"tap", "_recordings", "_captures", "_terminal"},
        "replay": {"decode", "_recordings", "_calling", "_captures", "_idl", "_terminal"},
        "load": {"_recordings", "_calling", "_idl", "_values", "_terminal"},
    },
}

# Import names that differ from the name of the distribution.
IMPORT_NAMES = {
    "google-crc32c": "google_crc32c",
    "pyyaml": "yaml",
    "hdrhistogram": "hdrh",
    "protobuf": "google",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-instrumentation": "opentelemetry",
}


@dataclass(frozen=True)
class Import:
    """One imported top-level package, where, and whether only on first use."""

    module: str
    line: int
    target: str
    lazy: bool

    @property
    def top(self) -> str:
        return self.target.split(".")[0]

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}, imports {self.target}"


class Imports(ast.NodeVisitor):
    """Collects the imports of one module, told apart by when they run."""

    def __init__(self, module: str, is_package: bool) -> None:
        self.module = module
        self.found: list[Import] = []
        self._package = module.split(".") if is_package else module.split(".")[:-1]
        self._lazy = 0

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)

    def _visit_lazily(self, node: ast.AST) -> None:
        self._lazy += 1
        self.generic_visit(node)
        self._lazy -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_lazily

    def visit_Try(self, node: ast.Try) -> None:
        caught = " ".join(ast.dump(handler.type) for handler in node.handlers if handler.type)
        if "ImportError" in caught or "ModuleNotFoundError" in caught:
            self._visit_lazily(node)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self._package[: len(self._package) - node.level + 1] if node.level else []
        prefix = [*base, *([node.module] if node.module else [])]
        for alias in node.names:
            self._add(node.lineno, ".".join([*prefix, alias.name]))

    def visit_Call(self, node: ast.Call) -> None:
        # An import statement in disguise; a relative name stays within the package.
        function = ast.unparse(node.func).rsplit(".", 1)[-1]
        if function in {"import_module", "import_layer", "__import__"} and node.args:
            argument = node.args[0]
            name = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(name, str) and not name.startswith("."):
                self._add(node.lineno, name)
        self.generic_visit(node)

    def _add(self, line: int, target: str) -> None:
        self.found.append(Import(self.module, line, target, self._lazy > 0))


def imports_of(text: str, module: str, *, is_package: bool = False) -> list[Import]:
    collector = Imports(module, is_package)
    collector.visit(ast.parse(text))
    return collector.found


def modules_of(package: Path) -> list[tuple[str, Path]]:
    found = []
    for path in sorted(package.rglob("*.py")):
        if "generated" in path.parts:
            continue  # what Apache's compiler made, loaded by those who have its library
        parts = path.relative_to(package.parent).with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def violations(imports: list[Import], dependencies: set[str], extras: set[str]) -> list[str]:
    found = []
    for one in imports:
        package = one.module.split(".")[0]
        if one.top in sys.stdlib_module_names or one.top == package:
            continue
        if one.top in BELOW[package] | dependencies:
            continue
        if one.lazy and one.top in extras | set(LAZY[package]):
            continue
        if one.lazy and one.target in REACH_UP.get(one.module, ()):
            continue
        part = one.module.split(".")[1] if "." in one.module else ""
        if one.top in OF_EXTRAS.get(package, {}).get(part, ()):
            continue
        if ALIASES.fullmatch(one.module) and one.top in LAYERS:
            continue
        if PYTEST_PLUGIN.fullmatch(one.module) and one.top in LAZY[package]:
            continue
        found.append(str(one))
    return found


def wing_violations(imports: list[Import]) -> list[str]:
    found = []
    for one in imports:
        package, wing = one.module.split(".")[:2] if "." in one.module else (one.module, "")
        wings = WINGS.get(package, {})
        target = one.target.split(".")[1] if one.target.startswith(f"{package}.") else ""
        if wing in wings and target in wings and target not in wings[wing] | {wing}:
            found.append(str(one))
    return found


def inside_of_the_core(text: str) -> list[str]:
    """What a sibling imports of the core that is neither public nor `tchannel.lowlevel`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value]  # import_module("tchannel._x")
        else:
            continue
        found += [name for name in names if re.match(r"tchannel(\.\w+)*\._(?!version\b)", name)]
    return found


def modules_of_wire(text: str) -> list[str]:
    """The modules of wire that are imported by their own names."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module or "")
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return [name for name in names if name.startswith("tchannel_wire.")]


def circle_of(arrows: dict[str, set[str]]) -> list[str]:
    """A circle among the modules, or nothing."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        for target in sorted(arrows.get(name, ())):
            if found := visit(target):
                return found
        done.add(path.pop())
        return []

    for name in sorted(arrows):
        if found := visit(name):
            return found
    return []


def imports_within(package: Path) -> list[Import]:
    return [
        one
        for module, path in modules_of(package)
        for one in imports_of(path.read_text(), module, is_package=path.name == "__init__.py")
    ]


def import_names(requirements: list[str]) -> set[str]:
    names = {re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower() for requirement in requirements}
    return {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names} - LAYERS


def installed_with(distribution, distributions) -> set[str]:
    """The siblings that come with a distribution, directly or not."""
    found: set[str] = set()
    for requirement in distribution.project["dependencies"]:
        name = re.split(r"[<>=!~\[; ]", requirement)[0]
        if name in distributions:
            found |= {name} | installed_with(distributions[name], distributions)
    return found


def test_every_package_has_its_place_in_the_layers(distributions):
    assert {one.package.name for one in distributions.values()} == LAYERS


def test_each_package_imports_only_what_its_layer_may(distribution):
    dependencies = import_names(distribution.project["dependencies"])
    extras = import_names(
        [r for rs in distribution.project.get("optional-dependencies", {}).values() for r in rs]
    )

    assert violations(imports_within(distribution.package), dependencies, extras) == []


@pytest.mark.parametrize("name", ["tchannel-core", "tchannel-tools"])
def test_the_wings_of_a_package_point_one_way(distributions, name):
    package = distributions[name].package
    folders = {path.name for path in package.iterdir() if path.is_dir() and path.name[0] == "_"}

    wings = {wing for wing in WINGS[package.name] if wing[0] == "_"}
    assert folders - {"__pycache__"} == wings
    assert wing_violations(imports_within(package)) == []


def test_siblings_use_only_the_public_modules_of_the_core_and_lowlevel(distribution):
    if distribution.name == "tchannel-core":
        return
    found = {
        str(path.relative_to(distribution.folder)): names
        for path in distribution.package.rglob("*.py")
        if (names := inside_of_the_core(path.read_text()))
    }

    assert found == {}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("from tchannel.lowlevel import Endpoint", True),
        ("from tchannel.clock import Clock", True),
        ("from tchannel._links.peers import PeerGroup", False),
        ("if TYPE_CHECKING:\n from tchannel._links import peers", False),
        ("from tchannel.channel import _channels", False),
        ("import tchannel._links.peers as peers", False),
        ("import_module('tchannel._links.peers')", False),
    ],
)
def test_what_is_inside_of_the_core_is_told_from_what_is_not(code, allowed):
    assert (inside_of_the_core(code) == []) == allowed


def test_others_take_what_they_use_of_wire_from_the_package_itself(distribution):
    if distribution.name == "tchannel-wire":
        return
    found = {
        str(path.relative_to(distribution.folder)): names
        for path in distribution.package.rglob("*.py")
        if (names := modules_of_wire(path.read_text()))
    }

    assert found == {}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import tchannel_wire as wire", True),
        ("from tchannel_wire import ErrorCode", True),
        ("from tchannel_wire.errors import ErrorCode", False),
        ("import tchannel_wire.errors", False),
        ("def first_use():\n from tchannel_wire.headers import decode_headers", False),
    ],
)
def test_a_module_of_wire_is_told_from_the_package(code, allowed):
    assert (modules_of_wire(code) == []) == allowed


def test_no_modules_import_each_other_in_a_circle(distribution):
    modules = {module for module, _ in modules_of(distribution.package)}
    arrows: dict[str, set[str]] = {}
    for one in imports_within(distribution.package):
        if one.lazy:
            continue
        # `from .x import y` names the module x, or x.y where that is one.
        target = one.target if one.target in modules else one.target.rpartition(".")[0]
        if target in modules and not one.module.startswith(f"{target}."):
            arrows.setdefault(one.module, set()).add(target)

    assert circle_of(arrows) == []


def test_what_reaches_up_from_the_core_is_there(distributions):
    core = distributions["tchannel-core"].package
    found: dict[str, set[str]] = {}
    for module, path in modules_of(core):
        for one in imports_of(path.read_text(), module, is_package=path.name == "__init__.py"):
            if one.top in LAYERS - {"tchannel", *BELOW["tchannel"]} and not ALIASES.fullmatch(
                module
            ):
                found.setdefault(module, set()).add(one.target)

    assert found == REACH_UP


def test_layers_that_are_imported_are_installed_with_the_distribution(distribution, distributions):
    imports = {one.package.name: one.name for one in distributions.values()}
    needed = {
        imports[one.top]
        for module, path in modules_of(distribution.package)
        for one in imports_of(path.read_text(), module, is_package=path.name == "__init__.py")
        if one.top in LAYERS - {distribution.package.name}
        and not one.lazy
        and not ALIASES.fullmatch(module)
    }

    assert needed <= installed_with(distribution, distributions)


def test_the_thrift_engine_stands_alone(distributions):
    package = distributions["tchannel-thrift"].package
    engine = [
        one
        for module, path in modules_of(package / "rw")
        for one in imports_of(
            path.read_text(), f"tchannel_thrift.{module}", is_package=path.name == "__init__.py"
        )
    ]
    foreign = [
        str(one)
        for one in engine
        if one.top not in sys.stdlib_module_names
        and one.target != "tchannel_thrift.rw"
        and not one.target.startswith("tchannel_thrift.rw.")
        and not (one.lazy and one.target == "tchannel_speedups.offer")
    ]

    assert foreign == []


@pytest.mark.parametrize("module", ["tchannel_wire", "tchannel_thrift.rw"])
def test_what_stands_alone_does_not_load_tornado_or_the_core(module):
    script = (
        f"import sys, {module}\n"
        "print([n for n in sys.modules if n.split('.')[0] in {'tornado', 'tchannel', 'asyncio'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "code", "allowed"),
    [
        ("tchannel_wire.frame", "import struct", True),
        ("tchannel_wire.frame", "import tornado", False),
        ("tchannel_wire.frame", "from tchannel import errors", False),
        ("tchannel_wire.checksum", "try:\n import google_crc32c\nexcept ImportError:\n pass", True),
        ("tchannel_wire.checksum", "import google_crc32c", False),
        ("tchannel.channel", "import tornado.ioloop, tchannel_wire", True),
        ("tchannel.channel", "import tchannel_thrift", False),
        ("tchannel.channel", "def f():\n import tchannel_thrift", False),
        ("tchannel.schemes", "def f():\n from tchannel_thrift import ThriftArgScheme", True),
        ("tchannel.schemes", "def f():\n from tchannel_thrift import load", False),
        ("tchannel.schemes", "from tchannel_thrift import ThriftArgScheme", False),
        ("tchannel.sync.thrift", "def f():\n import_layer('tchannel_thrift')", True),
        ("tchannel.sync.thrift", "def f():\n import_layer('tchannel_thrift.rw.spec')", False),
        ("tchannel.channel", "def f():\n import_module('tchannel_hyperbahn.x')", False),
        ("tchannel.channel", "import_module('tchannel_hyperbahn.x')", False),
        ("tchannel.channel", "import_module('.thrift', __name__)", True),
        ("tchannel.channel", "if TYPE_CHECKING:\n import tchannel_thrift", True),
        ("tchannel.channel", "if TYPE_CHECKING:\n pass\nelse:\n import tchannel_thrift", False),
        ("tchannel.thrift", "from tchannel_thrift import load", True),
        ("tchannel.tcurl", "def f():\n import_layer('tchannel_tools.tcurl')", True),
        ("tchannel.schemes", "def f():\n import tchannel_tools", False),
        ("tchannel.channel", "def f():\n import requests", False),
        ("tchannel_hyperbahn.router", "import tchannel_thrift", False),
        ("tchannel_hyperbahn.router", "from . import discover", True),
        ("tchannel_thrift.scheme", "import tchannel_hyperbahn", False),
        ("tchannel_yarpc.calls", "import tchannel_thrift", False),
        ("tchannel_yarpc.calls", "def f():\n import tchannel_hyperbahn", False),
        ("tchannel_testing.service", "def f():\n import tchannel_tools", False),
        ("tchannel_observe.otel.calls", "from opentelemetry import trace", True),
        ("tchannel_observe.otel.calls", "import prometheus_client", False),
        ("tchannel_observe.extras", "import opentelemetry", False),
        ("tchannel_tools.tcurl.calls", "from tchannel_thrift.rw import spec", True),
    ],
)
def test_the_rules_tell_right_from_wrong(module, code, allowed):
    found = violations(
        imports_of(code, module), {"tornado"} if "wire" not in module else set(), set()
    )

    assert (found == []) == allowed


@pytest.mark.parametrize(
    ("module", "code", "allowed"),
    [
        ("tchannel._links.peers", "from .._serving.incoming import serve", True),
        ("tchannel._links.peers", "from .._calls.outgoing import OutgoingCall", False),
        ("tchannel._links.peers", "def f():\n from .._life import closing", False),
        ("tchannel._calls.outgoing", "from .._links.peers import Peer", False),
        ("tchannel._calls.outgoing", "from .._ground import current", True),
        ("tchannel._ground.current", "from .. import errors", True),
        ("tchannel._serving.meta", "if TYPE_CHECKING:\n from .._links import peers", True),
        ("tchannel.channel", "from ._life.lifecycle import Lifecycle", True),
        ("tchannel_tools.tcurl.command", "from .._calling.calls import Caller", True),
        ("tchannel_tools._calling.calls", "from ..tcurl.arguments import Arguments", False),
        ("tchannel_tools._idl.listing", "from .._values.forms import Form", False),
        ("tchannel_tools._idl.listing", "from .interface import Interface", True),
    ],
)
def test_the_rules_of_the_wings_tell_right_from_wrong(module, code, allowed):
    assert (wing_violations(imports_of(code, module)) == []) == allowed


def test_circles_are_found():
    assert circle_of({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle_of({"a": {"b", "c"}, "b": {"c"}}) == []


def test_relative_imports_are_resolved():
    (one,) = imports_of("from ..errors import Oops", "tchannel.schemes.raw")

    assert one.target == "tchannel.errors.Oops"
