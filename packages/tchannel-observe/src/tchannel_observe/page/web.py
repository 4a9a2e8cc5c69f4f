"""What the page is served by: handlers of Tornado, and what each answer says besides its body."""

from __future__ import annotations

import asyncio
import json
import socket
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from tchannel.lowlevel import install_hint, logger

try:
    from tornado.httpserver import HTTPServer
    from tornado.httputil import HTTPServerRequest
    from tornado.web import Application, RequestHandler
except ModuleNotFoundError as _error:
    raise install_hint(_error, needs="tornado", dist="tchannel-observe[page]") from None

from .hosts import is_allowed

if TYPE_CHECKING:
    from .page import Page

__all__ = ["MAX_REQUEST", "HTTPServer", "application", "listening_socket", "routes"]

log: Final = logger("tchannel.observe")

_FILES: Final = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}

_FOLDER: Final = files("tchannel_observe.page") / "files"

_HEADERS: Final = {
    # Nothing from elsewhere, nothing inline, in nobody's frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_TEXT: Final = "text/plain; charset=utf-8"

MAX_REQUEST: Final = 16 * 1024
"""Bytes of the head of a request; a body it has none."""


class _Handler(RequestHandler):
    """What all of them do: look at who asks, and answer in plain words if something is wrong."""

    page: Page
    any_host: bool = False
    """Whether the Host does not matter: an answer of one word tells nobody anything."""

    def initialize(self, page: Page, **more: object) -> None:
        self.page = page

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        request = self.request
        if self.page.closed:
            self.refuse(503, "The page is closed.")
            return
        self.page.start()
        if not self.any_host and not is_allowed(request.headers.get("Host"), self.page.hosts):
            self.refuse(
                403,
                "This page does not answer to that Host. If the name is its own: Page(hosts=[...]).",
            )
        # What another site's page asks for by itself; a link that somebody follows is a navigation.
        elif (
            request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
            and request.headers.get("Sec-Fetch-Mode") != "navigate"
        ):
            self.refuse(403, "This page does not answer to the pages of other sites.")

    def refuse(self, status: int, text: str) -> None:
        self.set_status(status)
        self.say(text)

    def say(self, text: str) -> None:
        """Answer with a line of text."""
        self.set_header("Content-Type", _TEXT)
        self.finish(f"{text}\n")

    def write_error(self, status_code: int, **kwargs: object) -> None:
        self.say(f"{status_code} {self._reason}")

    async def head(self, *args: str) -> None:
        # Tornado leaves out the body by itself.
        done = self.get(*args)
        if done is not None:
            await done


class _File(_Handler):
    """A file of the page."""

    def get(self, name: str = "") -> None:
        file, kind = _FILES[name]
        self.set_header("Content-Type", kind)
        # Kept by the browser, and asked for again only by its ETag.
        self.set_header("Cache-Control", "no-cache")
        self.finish((_FOLDER / file).read_bytes())


class _Slash(_Handler):
    """The page's address without the slash at its end, where its files would not be found."""

    def get(self) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"{self.request.path.rpartition('/')[2]}/{query}")


class _Json(_Handler):
    """What the page shows, as JSON."""

    def get(self) -> None:
        key = self.get_query_argument("channel", "")
        rows = self.get_query_argument("rows", "")
        if rows and not (rows.isascii() and rows.isdigit() and len(rows) < 7):
            self.refuse(400, "rows must be a whole number")
            return
        view = self.page.view(key, int(rows) if rows else None)
        if key and view["channel"] is None:
            self.refuse(404, "There is no such channel.")
            return
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(view, separators=(",", ":")))


class _Events(_Handler):
    """The page's views as they come, as server-sent events."""

    def initialize(self, page: Page, **more: object) -> None:
        super().initialize(page, **more)
        self._over = asyncio.get_running_loop().create_future()

    async def get(self) -> None:
        key = self.get_query_argument("channel", "")
        if self.page.viewers.full:
            self.set_header("Retry-After", "10")
            self.refuse(503, f"{self.page.viewers.most} look at this page already.")
            return
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        viewer = self.page.watch(self, key)
        try:
            await self._over
        finally:
            self.page.viewers.drop(viewer)

    async def head(self, *args: str) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.finish()

    def send(self, data: bytes) -> asyncio.Future[None]:
        self.write(data)
        return asyncio.ensure_future(self.flush())

    def end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def on_connection_close(self) -> None:
        self.end()


class _Live(_Handler):
    """Whether the process answers at all."""

    any_host = True

    def get(self) -> None:
        self.say("ok")


class _Ready(_Handler):
    """Whether calls should be sent here."""

    any_host = True

    def get(self) -> None:
        why = self.page.unready()
        if why:
            self.refuse(503, why)
        else:
            self.say("ok")


class _Metrics(_Handler):
    """What Prometheus takes."""

    def get(self) -> None:
        made = self.page.metrics(self.request.headers.get("Accept", ""))
        if made is None:
            self.refuse(
                501,
                "Metrics for Prometheus need: pip install 'tchannel-observe[prometheus]'."
                " The same as JSON: stats.json",
            )
            return
        body, kind = made
        self.set_header("Content-Type", kind)
        self.finish(body)


class _Nothing(_Handler):
    """Anything else."""

    def get(self) -> None:
        self.refuse(404, "There is nothing here; the page is at /.")


# Any: as Tornado types the rules of an application.
def routes(page: Page, prefix: str = "") -> list[Any]:
    """Return the handlers, for an application of Tornado."""
    given = {"page": page}
    found: list[Any] = [
        (rf"{prefix}/({'|'.join(name.replace('.', '[.]') for name in _FILES)})", _File, given),
        (rf"{prefix}/stats[.]json", _Json, given),
        (rf"{prefix}/events", _Events, given),
        (rf"{prefix}/livez", _Live, given),
        (rf"{prefix}/readyz", _Ready, given),
        (rf"{prefix}/metrics", _Metrics, given),
    ]
    if prefix:
        found.append((prefix, _Slash, given))
    return found


def listening_socket(port: int, address: str) -> socket.socket:
    """Return a socket that listens there; Tornado's `bind_sockets` loses it when the port is in use.

    Raises:
        OSError: The port is in use, or the address is none of this machine.

    """
    family, _, _, _, place = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    dual = family == socket.AF_INET6 and address == "::" and socket.has_dualstack_ipv6()
    found = socket.create_server(place[:2], family=family, backlog=128, dualstack_ipv6=dual)
    found.setblocking(False)
    return found


def application(page: Page) -> Application:
    """Return the application that serves the page on a port of its own."""
    return Application(
        routes(page),
        default_handler_class=_Nothing,
        default_handler_args={"page": page},
        log_function=_log,
    )


def _log(handler: RequestHandler) -> None:
    # Who looks at a page every two seconds, or probes it, is no news.
    request: HTTPServerRequest = handler.request
    log.debug("%s %s: %d", request.method, request.path, handler.get_status())
