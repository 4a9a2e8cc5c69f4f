"""TLS from files that are replaced while a channel runs, and the names in certificates.

::

    files = TLSFiles("service.pem", "service.key", authorities="ca.pem")
    channel = TChannel("ledger", ssl_server=files, ssl_client=files)

The files are read when the channel is made, again when they have changed, and at ``reload_tls()``. What
is read holds for new connections; those that are open stay as they are. Where new files cannot be used
(a certificate without its key yet, say) the former ones stay in use, and that is logged.
"""

from __future__ import annotations

import os
import ssl
from typing import TypeAlias

from ._links.tls_names import Certificate, bears_name, is_uri, names_in

__all__ = ["Certificate", "TLSFiles", "bears_name", "is_uri", "names_in"]

_Path: TypeAlias = str | os.PathLike[str]


class TLSFiles:
    """A certificate, its key, and the authorities that peers' certificates are checked against.

    Args:
        certificate: The file of the certificate, with those between it and the authority; PEM.
        key: The file of its key; by default the certificate's file.
        authorities: The file of the authorities to trust; PEM. By default a client trusts those of
            the system, and a server asks callers for no certificate; with it, it demands one.
        password: Of the key, if it is encrypted.

    Raises:
        TypeError: An argument of a wrong type.

    """

    def __init__(
        self,
        certificate: _Path | None = None,
        key: _Path | None = None,
        *,
        authorities: _Path | None = None,
        password: str | None = None,
    ) -> None:
        for name, value in (
            ("certificate", certificate),
            ("key", key),
            ("authorities", authorities),
        ):
            if value is not None and not isinstance(value, str | os.PathLike):
                raise TypeError(f"{name} must be the path of a file, not {value!r}")
        if key is not None and certificate is None:
            raise TypeError("a key needs a certificate")
        self.certificate = certificate
        self.key = key
        self.authorities = authorities
        self._password = password

    def server_context(self) -> ssl.SSLContext:
        """Read the files for accepting connections.

        Raises:
            OSError: (of which `ssl.SSLError` is one) a file cannot be read or used.
            ValueError: There is no certificate.

        """
        if self.certificate is None:
            raise ValueError("a server needs a certificate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._load(context)
        if self.authorities is not None:
            context.load_verify_locations(self.authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self, *, check_hostname: bool = True) -> ssl.SSLContext:
        """Read the files for opening connections.

        Args:
            check_hostname: Whether OpenSSL looks for the host's name; not where a URI is looked for.

        Raises:
            OSError: (of which `ssl.SSLError` is one) a file cannot be read or used.

        """
        context = ssl.create_default_context(cafile=self.authorities)
        context.check_hostname = check_hostname
        if self.certificate is not None:
            self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        assert self.certificate is not None
        context.load_cert_chain(self.certificate, self.key, self._password or "")

    def state(self) -> tuple[tuple[float, int, int] | None, ...]:
        """Return what changes when the files do."""
        return tuple(
            [
                _state(path)
                for path in (self.certificate, self.key, self.authorities)
                if path is not None
            ]
        )

    def __repr__(self) -> str:
        paths = [os.fspath(path) for path in (self.certificate, self.key, self.authorities) if path]
        return f"TLSFiles({', '.join(map(repr, paths))})"


def _state(path: _Path) -> tuple[float, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime, status.st_size, status.st_ino
