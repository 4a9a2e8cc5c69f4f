"""Loading Thrift files as modules."""

from __future__ import annotations

import os
import sys
import threading
import types
from collections.abc import Iterable, Mapping

from .codegen.pickling import ModuleOrigin, set_fallback
from .compile import Compiler
from .options import LoadOptions
from .protocol import BinaryProtocol, Protocol


def options_of(
    *,
    strict: bool,
    include_as: bool = False,
    include_dirs: Iterable[str | os.PathLike[str]],
    int_enum: bool,
) -> LoadOptions:
    """The options that the arguments of `Loader` mean; raises what that raises."""
    if isinstance(include_dirs, (str, bytes, os.PathLike)):
        raise TypeError(f"include_dirs must be a list of paths, not {include_dirs!r}")
    folders = tuple(os.path.abspath(folder) for folder in include_dirs)
    return LoadOptions(bool(strict), bool(include_as), folders, bool(int_enum))


class Loader:
    """Loads Thrift files, each once. Safe to use from many threads.

    Args:
        protocol: What the modules serialize with: a BinaryProtocol, or None for one with the
            default limits.
        strict: True (the default, also for None) accepts what thriftrw accepts: fields of structs
            say whether they are required, and includes start with ``./`` or ``../``. False accepts
            what the Apache compiler accepts.
        include_as: Whether ``include name "./path.thrift"`` is allowed. Default False.
        include_dirs: Directories in which included files are looked for, after the directory of
            the file that includes them, as with ``thrift -I``. Default none.
        int_enum: Whether enums are ``enum.IntEnum`` classes, and what is read, constants and
            defaults are their members. Numbers without an item stay ints. Default False: enums are
            plain ints, as in thriftrw.

    Attributes:
        compiler: The compiler behind it.

    Raises:
        TypeError: If ``protocol`` is not a BinaryProtocol, or ``include_dirs`` is one path.

    """

    __slots__ = ("_lock", "compiler")

    def __init__(
        self,
        protocol: Protocol | None = None,
        strict: bool | None = None,
        include_as: bool | None = None,
        *,
        include_dirs: Iterable[str | os.PathLike[str]] = (),
        int_enum: bool = False,
    ) -> None:
        if protocol is None:
            protocol = BinaryProtocol()
        if not isinstance(protocol, BinaryProtocol):
            raise TypeError(f"protocol must be a BinaryProtocol, not {protocol!r}")
        options = options_of(
            strict=strict is None or strict,
            include_as=bool(include_as),
            include_dirs=include_dirs,
            int_enum=int_enum,
        )
        self.compiler: Compiler = Compiler(protocol, options)
        self._lock = threading.RLock()

    def load(self, path: str | os.PathLike[str], name: str | None = None) -> types.ModuleType:
        """The module of a Thrift file.

        A file is loaded once: whoever asks again, or includes it, gets the same module, whatever
        the name. If loading fails, nothing stays behind.

        Args:
            path: The file, encoded in UTF-8. It may be within a zip archive.
            name: ``__name__`` of the module; default is that of the file without its extension.

        Raises:
            OSError: If the file cannot be read.
            UnicodeDecodeError: If it is not UTF-8.
            ThriftParserError: If it is not grammatical.
            ThriftCompilerError: If it means nothing, or includes what does not exist.

        """
        absolute = os.path.abspath(path)
        module = self.compiler.cached(absolute)
        if module is not None:
            return module
        with self._lock:
            return self.compiler.cached(absolute) or self.compiler.compile_file(absolute, name)

    def loads(self, name: str, document: str) -> types.ModuleType:
        """The module of a document given as text. It cannot include anything, and is not kept.

        Args:
            name: ``__name__`` of the module.
            document: The Thrift document.

        Raises:
            AssertionError: If the name is empty.
            TypeError: If the document is not ``str``.
            ThriftParserError, ThriftCompilerError: As ``load``.

        """
        if not name:
            raise AssertionError("loads() needs a name for the module")
        if not isinstance(document, str):
            raise TypeError(f"document must be str, not {type(document).__name__}")
        with self._lock:
            return self.compiler.compile_text(name, document)

    def load_texts(
        self, texts: Mapping[str, str], entry_point: str, name: str | None = None
    ) -> types.ModuleType:
        """The module of a document that is given together with all that it includes.

        No file is ever read: this is the way to load what came from elsewhere. The module is not
        kept, and its instances can be pickled within this process only.

        Args:
            texts: The documents by path. Paths are relative, with slashes, and fit the includes.
            entry_point: Path of the document.
            name: ``__name__`` of the module; default is that of the path without its extension.

        Raises:
            FileNotFoundError: If ``texts`` has no such path.
            TypeError: If a document is not ``str``.
            ThriftParserError, ThriftCompilerError: As ``load``; also where a document includes
                what is not among the texts.

        """
        for path, text in texts.items():
            if not isinstance(path, str) or not isinstance(text, str):
                raise TypeError(f"texts must be str by str, not {type(text).__name__} by {path!r}")
        with self._lock:
            return self.compiler.compile_texts(texts, entry_point, name)


_loader = Loader()


def load(path: str | os.PathLike[str], name: str | None = None) -> types.ModuleType:
    """The module of a Thrift file, strictly read: ``Loader.load`` of the one default loader.

    Args:
        path: The file, encoded in UTF-8.
        name: ``__name__`` of the module; default is that of the file without its extension.

    Raises:
        What ``Loader.load`` raises.

    """
    return _loader.load(path, name)


def install(path: str | os.PathLike[str], name: str | None = None) -> types.ModuleType:
    """Load a Thrift file and make it importable as a submodule of the calling module.

    In ``some_module``, ``install("keyvalue.thrift")`` makes ``import some_module.keyvalue`` work.

    Args:
        path: The file; relative paths start at the directory of the calling module.
        name: Name of the submodule; default is that of the file without its extension.

    Returns:
        The module; on a second call the one that is installed already.

    Raises:
        What ``load`` raises.

    """
    return install_for(path, name, sys._getframe(1).f_globals)


def install_for(
    path: str | os.PathLike[str], name: str | None, caller: Mapping[str, object]
) -> types.ModuleType:
    """What ``install`` does, for the module whose globals are ``caller``."""
    path = os.fspath(path)
    if name is None:
        name = os.path.splitext(os.path.basename(path))[0]
    full_name = f"{caller['__name__']}.{name}"
    installed = sys.modules.get(full_name)
    if installed is not None:
        return installed
    if not os.path.isabs(path):
        # Typed in at a prompt, the caller has no file, and paths start at the current directory.
        file = caller.get("__file__")
        path = os.path.join(os.path.dirname(file) if isinstance(file, str) else "", path)
    module = load(path, name=full_name)
    sys.modules[full_name] = module
    return module


_others: dict[LoadOptions, Loader] = {}
_others_lock = threading.Lock()


def loader_with(options: LoadOptions) -> Loader:
    """A loader that reads files in a given way."""
    return Loader(
        None,
        options.strict,
        options.include_as,
        include_dirs=options.include_dirs,
        int_enum=options.int_enum,
    )


def _load_again(origin: ModuleOrigin) -> types.ModuleType:
    """Load the module of an instance that was pickled in another process."""
    loader = _loader
    options = origin.options
    if options != LoadOptions():
        with _others_lock:
            loader = _others.setdefault(options, loader_with(options))
    if origin.path is not None:
        return loader.load(origin.path, origin.name)
    assert origin.source is not None, "without a path there is a source"
    module = _texts.get(origin)
    if module is None:
        module = _texts.setdefault(origin, loader.loads(origin.name, origin.source))
    return module


_texts: dict[ModuleOrigin, types.ModuleType] = {}

set_fallback(_load_again)
