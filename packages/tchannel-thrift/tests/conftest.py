"""One IDL, loaded by every kind of Thrift module, and channels on the loopback interface."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tchannel import TChannel, thrift
from tchannel_thrift import rw

IDL = Path(__file__).parent / "idl"

FLAVOURS = {
    "apache_dynamic": "py:new_style,dynamic,slots,utf8strings",
    "apache_plain": "py",
}

# thriftrw 1.9.0, the last release, cannot be built on Python 3.12 and newer.
KINDS = ["loaded", "engine", *FLAVOURS]
if sys.version_info < (3, 12):
    KINDS.append("thriftrw")
    if os.environ.get("CI"):
        importlib.import_module("thriftrw")  # may only be missing where there is no C compiler


def _missing() -> set[str]:
    """Fixtures and parameters of what this machine has not."""
    missing: set[str] = set()
    if shutil.which("thrift") is None:
        missing |= {"apache", "thrift_compiler", "compiler", *FLAVOURS}
    if importlib.util.find_spec("thriftrw") is None:
        missing.add("thriftrw")
    return missing


def _needs(item: pytest.Item) -> set[str]:
    spec = getattr(item, "callspec", None)
    values = spec.params.values() if spec is not None else ()
    return {one for one in values if isinstance(one, str)} | set(getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of what needs Apache's compiler or thriftrw, where they are missing, one test of each file stays.

    It is skipped with the reason; the others, two thousand of the same, are deselected. Where CI is
    set none is.
    """
    missing = set() if os.environ.get("CI") else _missing()
    kept: set[Path] = set()
    left_out: set[pytest.Item] = set()
    for item in items:
        if missing.isdisjoint(_needs(item)):
            continue
        if item.path in kept:
            left_out.add(item)
        kept.add(item.path)
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


@dataclass(frozen=True)
class Kind:
    """The test's IDL as one kind of Thrift module sees it.

    Attributes:
        name: The kind.
        service: What stands for the service `KeyValue`.
        clock: What stands for the service `Clock`.
        types: Has the structs and exceptions of keyvalue.thrift.
        shared: The same for shared.thrift.

    """

    name: str
    service: Any
    clock: Any
    types: Any
    shared: Any

    def request(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """Make a request to the service "keyvalue"."""
        builder = thrift.thrift_request_builder("keyvalue", self.service)
        return getattr(builder, function)(*args, **kwargs)


@pytest.fixture(scope="session")
def idl() -> Path:
    """The folder of the IDL files."""
    return IDL


@pytest.fixture(scope="session")
def thrift_compiler() -> str:
    """The path of Apache's compiler; tests that need it are skipped where it is missing."""
    path = shutil.which("thrift")
    if path is None:
        pytest.skip("Apache's compiler is not installed (Debian: thrift-compiler)")
    return path


@pytest.fixture(scope="session")
def apache(
    thrift_compiler: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., types.ModuleType]]:
    """A function that generates code in a flavour and imports a module of it.

    ``apache("apache_plain", "keyvalue.KeyValue")``; with ``text`` of a document of that name, too.
    """
    folder = tmp_path_factory.mktemp("generated")
    before = set(sys.modules)
    sys.path.insert(0, str(folder))

    def generate(flavour: str, module: str, text: str | None = None) -> types.ModuleType:
        name = module.partition(".")[0]
        if not (folder / flavour / name).exists():
            sources = folder / f"{flavour}-{name}"
            sources.mkdir()
            texts = {path.name: path.read_text() for path in IDL.glob("*.thrift")}
            if text is not None:
                texts = {f"{name}.thrift": text}
            for file, content in texts.items():
                # Packages of their own: both flavours are imported into one process.
                namespace = f"namespace py {flavour}.{Path(file).stem}\n"
                (sources / file).write_text(namespace + content)
            subprocess.run(
                [
                    thrift_compiler,
                    *("-nowarn", "-r", "--gen", FLAVOURS[flavour]),
                    *("-out", folder, sources / f"{name}.thrift"),
                ],
                check=True,
                capture_output=True,
                timeout=60,
            )
            importlib.invalidate_caches()
        return importlib.import_module(f"{flavour}.{module}")

    yield generate
    sys.path.remove(str(folder))
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in FLAVOURS:
            del sys.modules[name]


def _load(name: str, request: pytest.FixtureRequest) -> Kind:
    path = IDL / "keyvalue.thrift"
    if name in FLAVOURS:
        generate = request.getfixturevalue("apache")
        return Kind(
            name,
            generate(name, "keyvalue.KeyValue"),
            generate(name, "keyvalue.Clock"),
            generate(name, "keyvalue.ttypes"),
            generate(name, "shared.ttypes"),
        )
    if name == "loaded":
        module = thrift.load(path, service="keyvalue")
    elif name == "engine":
        module = rw.load(path)
    else:
        module = pytest.importorskip("thriftrw").load(str(path))
    return Kind(name, module.KeyValue, module.Clock, module, module.shared)


@pytest.fixture
def kinds() -> list[str]:
    """The names of all kinds that there are for this Python."""
    return KINDS


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of Thrift module in turn."""
    return _load(request.param, request)


@pytest.fixture
def load_kind(request: pytest.FixtureRequest) -> Callable[[str], Kind]:
    """A function that gives the kind of that name."""
    return lambda name: _load(name, request)


@pytest.fixture
async def server() -> AsyncIterator[TChannel]:
    """A listening channel for the service "keyvalue"."""
    async with TChannel("keyvalue", hostport="127.0.0.1:0") as channel:
        channel.listen()
        yield channel


@pytest.fixture
async def client(server: TChannel) -> AsyncIterator[TChannel]:
    """A channel whose one peer is `server`."""
    async with TChannel("client", known_peers=[server.hostport]) as channel:
        yield channel
