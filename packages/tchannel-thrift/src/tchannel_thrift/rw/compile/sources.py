"""Where the texts of Thrift files come from: the file system, or texts that somebody has in hand."""

from __future__ import annotations

import errno
import io
import os
import posixpath
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import IO


class Sources(ABC):
    """Thrift files by path.

    Args:
        include_dirs: Where included files are looked for, after the directory of the file that
            includes them.

    """

    def __init__(self, include_dirs: tuple[str, ...]) -> None:
        self.include_dirs = include_dirs

    @abstractmethod
    def places(self, including: str, path: str) -> list[str]:
        """Where a file may be that is included, in the order in which they are looked at."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def read(self, path: str) -> str:
        """The text of a file.

        Raises:
            OSError: If it cannot be read.
            UnicodeDecodeError: If it is not UTF-8.

        """

    def included(self, including: str, path: str) -> str | None:
        """The file that another one includes, or None where there is none."""
        return next(filter(self.exists, self.places(including, path)), None)


class Files(Sources):
    """Files of the file system, and within zip archives, as Python imports packages from them."""

    def places(self, including: str, path: str) -> list[str]:
        """Where a file may be that is included; an absolute path is taken as it is."""
        folders = (os.path.dirname(including), *self.include_dirs)
        return list(
            dict.fromkeys(os.path.abspath(os.path.join(folder, path)) for folder in folders)
        )

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        if os.path.isfile(path):
            return True
        try:
            with _open_zipped(path):
                return True
        except OSError:
            return False

    def read(self, path: str) -> str:
        """The text of a file."""
        try:
            try:
                with open(path, encoding="utf-8") as file:
                    return file.read()
            except NotADirectoryError:
                with io.TextIOWrapper(_open_zipped(path), encoding="utf-8") as file:
                    return file.read()
        except UnicodeDecodeError as error:
            # Python's own text does not say which file, and there may be many included ones.
            error.reason += f"; Thrift files are UTF-8, but {path} is not"
            raise


class Texts(Sources):
    """Texts by relative path, with slashes. Nothing else is ever looked at.

    Args:
        texts: The texts.
        include_dirs: As above, among the texts.

    """

    def __init__(self, texts: Mapping[str, str], include_dirs: tuple[str, ...] = ()) -> None:
        super().__init__(include_dirs)
        self._texts = {posixpath.normpath(path): text for path, text in texts.items()}

    def places(self, including: str, path: str) -> list[str]:
        """Where a text may be that is included."""
        folders = (posixpath.dirname(including), *self.include_dirs)
        return list(
            dict.fromkeys(posixpath.normpath(posixpath.join(folder, path)) for folder in folders)
        )

    def exists(self, path: str) -> bool:
        """Whether there is such a text."""
        return path in self._texts

    def read(self, path: str) -> str:
        """A text; FileNotFoundError where there is none."""
        try:
            return self._texts[posixpath.normpath(path)]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "There is no such text", path) from None


def _open_zipped(path: str) -> IO[bytes]:
    """Open a file within a zip archive, whose own path is the beginning of the path.

    Raises:
        FileNotFoundError: If there is no such archive or file.

    """
    archive = os.path.dirname(path)
    while not os.path.isfile(archive):
        parent = os.path.dirname(archive)
        if parent == archive:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        archive = parent
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.open(os.path.relpath(path, archive).replace(os.sep, "/"))
    except (zipfile.BadZipFile, KeyError):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
