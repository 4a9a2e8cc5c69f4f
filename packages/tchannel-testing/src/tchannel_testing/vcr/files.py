"""Cassettes on disk: nobody ever sees half a file."""

import contextlib
import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator

__all__ = ["check_writable", "locked", "read", "write"]


def read(path: str) -> bytes | None:
    """The contents of the file; None when there is none.

    :raises OSError: it is there but cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def check_writable(path: str) -> None:
    """See to it that :func:`write` will be able to write ``path``.

    Leaves nothing behind; missing directories are made by :func:`write`.

    :raises OSError: it will not; names the path.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(f"cannot record to {path}: it is a directory")
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(f"cannot record to {path}: the file is read-only")
    directory = os.path.dirname(target)
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise type(error)(
            error.errno, f"cannot record to {path}: {error.strerror} in {directory}"
        ) from None


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep others who do the same out, in this process and in others; leaves no lock file.

    Missing directories are made: the one of the file is what is locked.

    :raises OSError: they cannot be made.
    """
    directory = os.path.dirname(os.path.realpath(path))
    os.makedirs(directory, exist_ok=True)
    with contextlib.ExitStack() as stack:
        # Some network file systems have no locks, and some directories may not be read.
        with contextlib.suppress(OSError):
            handle = os.open(directory, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write(path: str, data: bytes) -> None:
    """Replace the file at once; a reader finds the old contents or the new, never a part.

    A symbolic link stays one. Missing directories are made.

    :raises OSError: it cannot be written; the old file is untouched.
    """
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    os.makedirs(directory, exist_ok=True)
    temporary = os.path.join(
        directory, f".{os.path.basename(target)}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    )
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
