"""Reading cassettes: see :mod:`~tchannel_testing.vcr.yaml_format` for what is in them.

Nodes are read one by one instead of being constructed: no tag can run anything, the tags that old
files have are taken for what they mean, and every mistake knows its line.
"""

import base64
import binascii
import difflib
from typing import Any, Final, Literal

import yaml

from tchannel.transport import SCHEME
from tchannel_wire import encode_thrift_headers

from .exceptions import InvalidCassetteError, UnsupportedVersionError
from .interaction import Failure, Interaction, Request, Response
from .yaml_format import SCHEMES, THRIFT, VERSION

__all__ = ["Reader", "load"]

_TEXT_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "python/str", "python/unicode")
)
_BINARY_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("binary", "python/bytes"))
_INT_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("int", "python/int", "python/long")
)
_SEQUENCE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("seq", "python/tuple", "python/list")
)
_MAPPING_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "python/dict"))
_NULL_TAG: Final = "tag:yaml.org,2002:null"

#: More than any cassette has: Thrift bodies go 30 levels deep, of up to three in the file.
_MAX_DEPTH: Final = 100

# The C parser is several times faster; both give the same nodes.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(data: bytes, path: str) -> list[Interaction]:
    """The interactions in a file, in the order in which they were recorded.

    :param path: for messages.
    :raises InvalidCassetteError: names the file, the line and the field.
    :raises UnsupportedVersionError: the version is not 1.
    """
    return Reader(path).read(data)


class _Fields:
    """The fields of one mapping: each is asked for once, and none may be left over."""

    def __init__(self, reader: "Reader", node: yaml.Node, where: str) -> None:
        self._reader = reader
        self._where = where
        self.node = node
        if not isinstance(node, yaml.MappingNode) or node.tag not in _MAPPING_TAGS:
            raise reader.error(node, f"{where} must be a mapping, not {_describe(node)}")
        self._values: dict[str, yaml.Node] = {}
        self._asked: set[str] = set()
        for key, value in node.value:
            name = reader.text(key, f"a key of {where}")
            if name in self._values:
                raise reader.error(key, f"{where} has {name!r} twice")
            self._values[name] = value
        self._keys = {reader.text(key, ""): key for key, _ in node.value}

    def get(self, name: str) -> yaml.Node | None:
        self._asked.add(name)
        return self._values.get(name)

    def need(self, name: str) -> yaml.Node:
        value = self.get(name)
        if value is None:
            near = difflib.get_close_matches(name, self._values.keys() - self._asked, n=1)
            hint = f", but {near[0]!r}" if near else ""
            node = self._keys[near[0]] if near else self.node
            raise self._reader.error(node, f"{self._where} has no {name!r}{hint}")
        return value

    def name(self, field: str) -> str:
        return f"{field} of {self._where}"

    def done(self) -> None:
        for name in self._values:
            if name not in self._asked:
                near = difflib.get_close_matches(name, self._asked, n=1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                raise self._reader.error(
                    self._keys[name], f"{self._where} has an unknown field {name!r}{hint}"
                )


class Reader:
    """Reads the nodes of one file; its methods are for fields of any kind.

    :param path: for messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def error(self, node: yaml.Node, problem: str) -> InvalidCassetteError:
        """The error to raise for a node; ``problem`` names the field."""
        return InvalidCassetteError(self._path, node.start_mark.line + 1, problem)

    def read(self, data: bytes) -> list[Interaction]:
        """The interactions: see :func:`load`."""
        try:
            self._check_depth(data)
            root = yaml.compose(data, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark is not None else None
            problem = " ".join(filter(None, (error.context, error.problem)))
            raise InvalidCassetteError(self._path, line, f"not YAML: {problem}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            first = str(error).splitlines()[0]
            raise InvalidCassetteError(self._path, None, f"not YAML: {first}") from None
        if root is None or root.tag == _NULL_TAG:
            return []  # an empty file is a cassette without recordings, as it always was
        fields = _Fields(self, root, "the cassette")
        self._check_version(fields)
        interactions: list[Interaction] = []
        for index, node in enumerate(self.sequence(fields.need("interactions"), "interactions")):
            interactions.append(self._interaction(node, f"interaction {index + 1}"))
        failures = fields.get("failures")
        if failures is not None:
            interactions = self._merge(interactions, self.sequence(failures, "failures"))
        fields.done()
        return interactions

    def _check_depth(self, data: bytes) -> None:
        """The C parser's nodes are made by recursion that nothing bounds: it would crash."""
        depth = 0
        for event in yaml.parse(data, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _MAX_DEPTH:
                    line = event.start_mark.line + 1 if event.start_mark is not None else None
                    raise InvalidCassetteError(self._path, line, "nested too deeply")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _check_version(self, fields: _Fields) -> None:
        node = fields.need("version")
        version = node.value if isinstance(node, yaml.ScalarNode) else _describe(node)
        if version != str(VERSION):
            raise UnsupportedVersionError(
                self._path,
                node.start_mark.line + 1,
                f"version {version} of the cassette format is not supported, only {VERSION} is",
            )

    def _interaction(self, node: yaml.Node, where: str) -> Interaction:
        fields = _Fields(self, node, where)
        request_node = fields.need("request")
        request = self._request(request_node, f"the request of {where}")
        response = self._response(
            fields.need("response"), f"the response of {where}", request.scheme
        )
        fields.done()
        as_bytes = _as_bytes(request_node, fields.get("response"))
        return Interaction(request, response=response, as_bytes=as_bytes)

    def _merge(
        self, interactions: list[Interaction], failures: list[yaml.Node]
    ) -> list[Interaction]:
        """Put the failures between the interactions, where they were recorded."""
        before: list[list[Interaction]] = [[] for _ in range(len(interactions) + 1)]
        for index, node in enumerate(failures):
            where = f"failure {index + 1}"
            fields = _Fields(self, node, where)
            position_node = fields.need("position")
            position = self.integer(position_node, fields.name("position"))
            if not 0 <= position <= len(interactions):
                raise self.error(
                    position_node,
                    f"position of {where} must be 0 to {len(interactions)}, not {position}",
                )
            request_node = fields.need("request")
            request = self._request(request_node, f"the request of {where}")
            error = self._failure(fields.need("error"), f"the error of {where}")
            fields.done()
            failed = Interaction(request, failure=error, as_bytes=_as_bytes(request_node))
            before[position].append(failed)
        merged = before[0]
        for interaction, following in zip(interactions, before[1:], strict=True):
            merged.append(interaction)
            merged.extend(following)
        return merged

    def _request(self, node: yaml.Node, where: str) -> Request:
        fields = _Fields(self, node, where)
        transport_headers = self._headers(fields, where)
        scheme_node = fields.get("argScheme")
        scheme = SCHEMES[0]
        if scheme_node is not None:
            number = self.integer(scheme_node, fields.name("argScheme"))
            if not 0 <= number < len(SCHEMES):
                raise self.error(
                    scheme_node,
                    f"{fields.name('argScheme')} must be 0 (raw), 1 (json) or 2 (thrift),"
                    f" not {number}",
                )
            scheme = SCHEMES[number]
        named = transport_headers.get(SCHEME, scheme)
        if scheme == SCHEMES[0] and named not in SCHEMES:
            scheme = named
        hostport = fields.get("hostPort")
        peers = fields.get("knownPeers")
        request = Request(
            service=self.text(fields.need("serviceName"), fields.name("serviceName")),
            endpoint=self.text(fields.need("endpoint"), fields.name("endpoint")),
            headers=self._arg2(fields, scheme),
            body=self._body(fields, scheme),
            hostport="" if hostport is None else self.text(hostport, fields.name("hostPort")),
            scheme=scheme,
            known_peers=[
                self.text(peer, f"a peer in {fields.name('knownPeers')}")
                for peer in (
                    [] if peers is None else self.sequence(peers, fields.name("knownPeers"))
                )
            ],
            transport_headers=transport_headers,
        )
        fields.done()
        return request

    def _response(self, node: yaml.Node, where: str, scheme: str) -> Response:
        fields = _Fields(self, node, where)
        code_node = fields.need("code")
        code = self.integer(code_node, fields.name("code"))
        if code not in (0, 1):
            raise self.error(code_node, f"{fields.name('code')} must be 0 or 1, not {code}")
        checked: Literal[0, 1] = 1 if code else 0
        response = Response(
            code=checked,
            headers=self._arg2(fields, scheme),
            body=self._body(fields, scheme),
            transport_headers=self._headers(fields, where) or {SCHEME: scheme},
        )
        fields.done()
        return response

    def _failure(self, node: yaml.Node, where: str) -> Failure:
        fields = _Fields(self, node, where)
        code = fields.need("code")
        failure = Failure(
            code=None if code.tag == _NULL_TAG else self.integer(code, fields.name("code")),
            type=self.text(fields.need("type"), fields.name("type")),
            description=self.text(fields.need("description"), fields.name("description")),
        )
        fields.done()
        return failure

    def _headers(self, fields: _Fields, where: str) -> dict[str, str]:
        node = fields.get("transportHeaders")
        headers: dict[str, str] = {}
        if node is not None:
            for item in self.sequence(node, fields.name("transportHeaders")):
                header = _Fields(self, item, f"a transport header of {where}")
                key = self.text(header.need("key"), header.name("key"))
                headers[key] = self.text(header.need("value"), header.name("value"))
                header.done()
        return headers

    def _arg2(self, fields: _Fields, scheme: str) -> bytes:
        node = fields.get("headers")
        if node is None or node.tag == _NULL_TAG:
            return b""
        what = fields.name("headers")
        if scheme != THRIFT or not isinstance(node, yaml.MappingNode):
            return self.binary(node, what)
        headers = {self.text(k, f"a key of {what}"): self.text(v, what) for k, v in node.value}
        return encode_thrift_headers(headers)

    def _body(self, fields: _Fields, scheme: str) -> bytes:
        node = fields.need("body")
        what = fields.name("body")
        if scheme != THRIFT or not isinstance(node, yaml.MappingNode):
            return self.binary(node, what)
        try:
            from .thrift_reader import read_body
        except ModuleNotFoundError as error:
            raise self.error(node, f"{what} is a mapping. {error}") from None
        return read_body(self, node, what)

    # Scalars

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The items of a list; ``what`` is the field, here and below."""
        if not isinstance(node, yaml.SequenceNode) or node.tag not in _SEQUENCE_TAGS:
            raise self.error(node, f"{what} must be a list, not {_describe(node)}")
        items: list[yaml.Node] = node.value
        return items

    def integer(self, node: yaml.Node, what: str) -> int:
        """A whole number."""
        if isinstance(node, yaml.ScalarNode) and node.tag in _INT_TAGS:
            try:
                return int(node.value)
            except ValueError:
                pass
        raise self.error(node, f"{what} must be a number, not {_describe(node)}")

    def binary(self, node: yaml.Node, what: str) -> bytes:
        """Bytes: text, or !!binary."""
        if isinstance(node, yaml.ScalarNode):
            if node.tag in _TEXT_TAGS:
                value: str = node.value
                try:
                    return value.encode()
                except UnicodeEncodeError:
                    raise self.error(node, f"{what} has half a surrogate pair") from None
            if node.tag in _BINARY_TAGS:
                try:
                    return base64.b64decode("".join(node.value.split()), validate=True)
                except (binascii.Error, ValueError):
                    raise self.error(node, f"{what} is not valid base64") from None
        hint = ": put it in quotes" if isinstance(node, yaml.ScalarNode) else ""
        raise self.error(node, f"{what} must be text or !!binary, not {_describe(node)}{hint}")

    def text(self, node: yaml.Node, what: str) -> str:
        """Text."""
        data = self.binary(node, what)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self.error(node, f"{what} must be UTF-8") from None


def _as_bytes(*sides: yaml.Node | None) -> bool:
    """Whether headers and bodies stand there as bytes, all of them: other readers may count on it."""
    return not any(
        isinstance(value, yaml.MappingNode)
        for side in sides
        if side is not None
        for _, value in side.value
    )


def _describe(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        if node.tag == _NULL_TAG:
            return "nothing"
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        text = node.value if len(node.value) <= 40 else f"{node.value[:40]}..."
        return f"{text!r} (!!{tag})"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
