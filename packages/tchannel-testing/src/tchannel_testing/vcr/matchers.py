"""When a recorded request answers a live one."""

import json
from collections.abc import Callable, Hashable, Iterable
from typing import Final, TypeAlias

from .exceptions import UnknownMatcherError, VCRError
from .headers import comparable_headers, parse_headers
from .interaction import Interaction, Request
from .optional import thrift_bodies

__all__ = ["DEFAULT_MATCHERS", "MATCHERS", "Matcher", "Matchers"]

Matcher: TypeAlias = Callable[[Request, Request], object]
"""``matcher(request, recorded)``: something false, or an AssertionError, where they differ."""


def _body(request: Request) -> Hashable:
    """For json and Thrift the value, however it is written; else the bytes."""
    if request.scheme == "json":
        try:
            return json.dumps(json.loads(request.body), sort_keys=True)
        except ValueError:
            pass
    if request.scheme == "thrift" and (bodies := thrift_bodies()) is not None:
        value: Hashable = bodies.comparable(request.body)
        return value
    return request.body


#: What each matcher that has a name looks at: requests match where it is equal.
_KEYS: Final[dict[str, Callable[[Request], Hashable]]] = {
    "serviceName": lambda request: request.service,
    "hostPort": lambda request: request.hostport,
    "endpoint": lambda request: request.endpoint,
    "headers": lambda request: comparable_headers(request.scheme, request.headers),
    "body": _body,
    "argScheme": lambda request: request.scheme,
    "transportHeaders": lambda request: frozenset(request.transport_headers.items()),
}

#: The attribute that shows a difference to people.
_SHOWN: Final = {
    "serviceName": "service",
    "hostPort": "hostport",
    "endpoint": "endpoint",
    "headers": "headers",
    "body": "body",
    "argScheme": "scheme",
    "transportHeaders": "transport_headers",
}


def _matcher(name: str) -> Matcher:
    key = _KEYS[name]
    return lambda request, recorded: key(request) == key(recorded)


#: The matchers that have a name, which is that of the field in the cassette. For headers, tracing
#: and order do not matter; for json and Thrift bodies, neither does how the value is written.
MATCHERS: Final[dict[str, Matcher]] = {name: _matcher(name) for name in _KEYS}

#: What matches unless said otherwise: as in tchannel-python 2.1.0, all but the peer and the
#: transport headers.
DEFAULT_MATCHERS: Final = ("serviceName", "endpoint", "headers", "body", "argScheme")


class Matchers:
    """The matchers of a cassette.

    :param matchers: names of :data:`MATCHERS`, functions, or a mixture; None for the default.
    :raises UnknownMatcherError: a name that no matcher has; the message names it and those there are.
    """

    def __init__(self, matchers: Iterable[str | Matcher] | None = None) -> None:
        if isinstance(matchers, str):
            raise VCRError(f"matchers must be a list, as in [{matchers!r}], not {matchers!r}")
        self._named: list[str] = []
        self._functions: dict[str, Matcher] = {}
        for matcher in DEFAULT_MATCHERS if matchers is None else matchers:
            if callable(matcher):
                self._functions[getattr(matcher, "__name__", repr(matcher))] = matcher
            elif matcher in _KEYS:
                self._named.append(matcher)
            else:
                raise UnknownMatcherError(f"matcher {matcher!r} is none of {', '.join(MATCHERS)}")

    @property
    def names(self) -> list[str]:
        """The names of all; a function goes by its own."""
        return [*self._named, *self._functions]

    def key(self, request: Request) -> Hashable:
        """Equal for two requests where all named matchers are content."""
        return tuple(_KEYS[name](request) for name in self._named)

    def functions_match(self, request: Request, recorded: Request) -> bool:
        """Whether the functions are content too."""
        try:
            return all(matcher(request, recorded) for matcher in self._functions.values())
        except AssertionError:
            return False

    def differences(self, request: Request, recorded: Request) -> dict[str, str]:
        """The matchers that are not content, and what each has to say."""
        differing: dict[str, str] = {}
        for name in self._named:
            if not MATCHERS[name](request, recorded):
                live, old = _both(name, request, recorded)
                differing[name] = f"now {_cut(live)}, recorded {_cut(old)}"
        for name, matcher in self._functions.items():
            try:
                if not matcher(request, recorded):
                    differing[name] = "the matcher is not content"
            except AssertionError as error:
                differing[name] = str(error) or "the matcher is not content"
        return differing


class Shelf:
    """Recordings by what named matchers look at, so that a cassette of thousands stays quick."""

    def __init__(self, matchers: Matchers) -> None:
        self._matchers = matchers
        self._by_key: dict[Hashable, list[Interaction]] = {}

    def put(self, interaction: Interaction) -> None:
        """Add a recording behind those that are there."""
        self._by_key.setdefault(self._matchers.key(interaction.request), []).append(interaction)

    def find(self, request: Request) -> Interaction | None:
        """The first recording that answers ``request``; it stays on the shelf."""
        for interaction in self._by_key.get(self._matchers.key(request), ()):
            if self._matchers.functions_match(request, interaction.request):
                return interaction
        return None

    def take(self, request: Request) -> Interaction | None:
        """:meth:`find`, and take it off the shelf."""
        found = self.find(request)
        if found is not None:
            same = self._by_key[self._matchers.key(found.request)]
            del same[next(n for n, interaction in enumerate(same) if interaction is found)]
        return found


def _both(name: str, request: Request, recorded: Request) -> tuple[str, str]:
    """How the two show what differs between them."""
    sides = (request, recorded)
    values = [getattr(side, _SHOWN[name]) for side in sides]
    if name == "headers":
        parsed = [parse_headers(side.scheme, side.headers) for side in sides]
        if None not in parsed:
            values = parsed
    bodies = thrift_bodies() if name == "body" and request.scheme == "thrift" else None
    fields = [bodies and bodies.decode(side.body) for side in sides]
    if bodies is None or None in fields or recorded.scheme != "thrift":
        return repr(values[0]), repr(values[1])
    live, old = map(bodies.text_of, fields)
    if live == old:  # it is in the types
        live, old = (bodies.text_of(one, typed=True) for one in fields)
    return live, old


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]}... ({len(text)} characters)"
