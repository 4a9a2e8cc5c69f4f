"""The file format of cassettes: the YAML of tchannel-python, version 1.

::

    failures:                       # ours; other readers skip it
    - error: {code: 3, description: busy, type: BusyError}
      position: 1                   # how many interactions stand before it
      request: {...}
    interactions:
    - request:
        argScheme: 0                # 0 raw, 1 json, 2 thrift
        body: text, or !!binary; fields and values for Thrift
        endpoint: text
        headers: text, or !!binary; a mapping for Thrift
        hostPort: text              # '' where the call named no peer
        knownPeers: [text...]
        serviceName: text
        transportHeaders: [{key: text, value: text}...]
      response:
        body: as in a request
        code: 0                     # or 1 for an application error
        headers: as in a request
        transportHeaders: [...]     # ours, only where there is more than ``as``
    version: 1

tchannel-python 2.1.0 ignores the keys it does not know (tried with the real package), so that what
is ours costs its readers nothing; it also takes text where it writes ``!!binary`` itself. It knows
no other arg schemes: ours are written as 0, and told by the transport header ``as``.

Bodies and headers of Thrift calls are fields and values (:mod:`~tchannel_testing.vcr.thrift_bodies`),
which tchannel-python cannot read: where a file has them as bytes they stay so, and for a new file there
is ``thrift_as_bytes=True``.
"""

import json
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

import yaml

from tchannel.transport import SCHEME
from tchannel_wire import encode_thrift_headers

from .headers import parse_headers
from .interaction import Interaction, Request
from .optional import thrift_bodies
from .pairs import Pairs

__all__ = ["SCHEMES", "THRIFT", "VERSION", "dump"]

VERSION: Final = 1

THRIFT: Final = "thrift"

SCHEMES: Final = ("raw", "json", THRIFT)


def dump(interactions: Iterable[Interaction], *, thrift_as_bytes: bool = False) -> bytes:
    """The file for ``interactions``: the same bytes for the same interactions.

    :param thrift_as_bytes: write all bodies and headers of Thrift as bytes.
    """
    recorded: list[dict[str, object]] = []
    failures: list[dict[str, object]] = []
    for interaction in interactions:
        bodies = None if thrift_as_bytes or interaction.as_bytes else thrift_bodies()
        request = _request_to_yaml(interaction.request, bodies)
        if interaction.response is not None:
            recorded.append(
                {"request": request, "response": _response_to_yaml(interaction, bodies)}
            )
        elif interaction.failure is not None:
            error = interaction.failure
            failures.append(
                {
                    "position": len(recorded),
                    "request": request,
                    "error": {
                        "code": error.code,
                        "type": error.type,
                        "description": error.description,
                    },
                }
            )
    document: dict[str, object] = {"interactions": recorded, "version": VERSION}
    if failures:
        document["failures"] = failures
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=True,
        width=1 << 30,  # one line stays one line: a change shows where it is
    )
    # The C emitter marks the end where a text ends with empty lines; the other one does not.
    return text.removesuffix("...\n").encode()


# The C emitter is 20 times faster: 8 MB of text took 16 s.
_BaseDumper: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BaseDumper):  # type: ignore[misc]  # one of two classes that are used the same
    """Writes bytes as text where they are text, and never an anchor for what is equal."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_bytes(dumper: _Dumper, data: bytes) -> yaml.ScalarNode:
    text = _as_text(data)
    if text is None:
        binary: yaml.ScalarNode = dumper.represent_binary(data)
        return binary
    style = "|" if "\n" in text else None
    written: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return written


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # PyYAML loses some control characters of text (U+0085 reads back as a space).
    return _represent_bytes(dumper, text.encode(errors="replace"))


def _represent_pairs(dumper: _Dumper, pairs: Pairs) -> yaml.MappingNode:
    written: yaml.MappingNode = dumper.represent_mapping("tag:yaml.org,2002:map", pairs)
    return written


_Dumper.add_representer(bytes, _represent_bytes)
_Dumper.add_representer(Pairs, _represent_pairs)
_Dumper.add_representer(str, _represent_text)


def _as_text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    for character in text:
        # Old Pythons' YAML reads only the Basic Multilingual Plane.
        if character > "\uffff" or not (character.isprintable() or character == "\n"):
            return None
    return text


def _arguments(
    scheme: str, headers: bytes, body: bytes, bodies: ModuleType | None
) -> dict[str, object]:
    """arg2 and arg3, as fields where ``bodies`` says that they may be."""
    written: dict[str, object] = {"headers": headers, "body": body}
    if scheme != THRIFT or bodies is None:
        return written
    parsed = parse_headers(scheme, headers)
    if parsed is not None and headers == encode_thrift_headers(parsed):
        written["headers"] = Pairs(parsed.items())
    fields = bodies.decode(body)
    if fields is not None:
        written["body"] = bodies.to_plain(fields)
    return written


def _request_to_yaml(request: Request, bodies: ModuleType | None) -> dict[str, object]:
    scheme = SCHEMES.index(request.scheme) if request.scheme in SCHEMES else 0
    headers = request.transport_headers
    if request.scheme not in SCHEMES:
        headers = {**headers, SCHEME: request.scheme}
    body = request.body
    if request.scheme == "json":
        body = _canonical_json(body)
    return {
        "serviceName": request.service,
        "hostPort": request.hostport,
        "endpoint": request.endpoint,
        **_arguments(request.scheme, request.headers, body, bodies),
        "argScheme": scheme,
        "knownPeers": list(request.known_peers),
        "transportHeaders": _headers_to_yaml(headers),
    }


def _canonical_json(body: bytes) -> bytes:
    """The body as tchannel-python writes it: its reader compares bytes."""
    try:
        value = json.loads(body)
        written = json.dumps(value).encode()
        return written if json.loads(written) == value else body
    except ValueError:
        return body


def _response_to_yaml(interaction: Interaction, bodies: ModuleType | None) -> dict[str, object]:
    response = interaction.response
    assert response is not None, "dump() sorts out failures"
    document: dict[str, object] = {
        "code": int(response.code),
        **_arguments(interaction.request.scheme, response.headers, response.body, bodies),
    }
    if (
        response.transport_headers.keys() - {SCHEME}
        or response.transport_headers.get(SCHEME, interaction.request.scheme)
        != interaction.request.scheme
    ):
        document["transportHeaders"] = _headers_to_yaml(response.transport_headers)
    return document


def _headers_to_yaml(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": headers[key]} for key in sorted(headers)]
