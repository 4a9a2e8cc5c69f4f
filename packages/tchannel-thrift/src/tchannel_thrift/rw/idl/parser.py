"""Parsing of a whole document: headers and definitions, by recursive descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tchannel_thrift.rw.errors import ThriftCompilerError, error_at

from .ast import (
    BaseType,
    Const,
    Definition,
    Document,
    Enum,
    EnumItem,
    Field,
    Function,
    Include,
    Namespace,
    Service,
    Struct,
    Typedef,
)
from .tokens import TYPE_KEYWORDS
from .values import LENIENT_BASE_TYPES, ValueParser

_A_DEFINITION: Final = "a definition: const, typedef, enum, struct, union, exception or service"
_A_HEADER_OR_DEFINITION: Final = f"include, namespace or {_A_DEFINITION}"

_FORMER_HEADERS: Final = {
    "cpp_namespace": "cpp",
    "csharp_namespace": "csharp",
    "delphi_namespace": "delphi",
    "java_package": "java",
    "perl_package": "perl",
    "php_namespace": "php",
    "py_module": "py",
    "ruby_namespace": "rb",
    "smalltalk_category": "st",
    "smalltalk_prefix": "st",
    "xsd_namespace": "xsd",
}
"""Headers of early Apache releases, which 0.17 refuses by name, and the scope to use instead."""


def parse(
    source: str, *, path: str | None = None, strict: bool = True, include_as: bool = False
) -> Document:
    """Parse a Thrift document.

    Args:
        source: The text of the document.
        path: The file that the text is from; errors name it. None for a document without a file.
        strict: True accepts the grammar of thriftrw 1.9.0, where every field says its ID. False
            accepts the grammar of Apache Thrift 0.17 and of thriftrw together: a field without an
            ID gets -1, -2 and so on within its struct or argument list, as from Apache's compiler.
            Apart from that both give the same tree for a document that both accept.
        include_as: Accept ``include name "path"``.

    Returns:
        The syntax tree. Names are not looked up, and nothing but the grammar has been checked.

    Raises:
        ThriftParserError: The document is not grammatical, a field has the ID 0 (strict only), or
            types or values are nested deeper than 64 levels.
        ThriftCompilerError: A field has no ID (strict only), or an include has a name and
            ``include_as`` is off. thriftrw raises this class for both.

    """
    if not isinstance(source, str):
        raise TypeError(f"source must be a str, not {type(source).__name__}")
    parser = DocumentParser(source, path=path, strict=strict, include_as=include_as)
    document = parser.document()
    own = LENIENT_BASE_TYPES.keys() & {node.name for node in document.definitions}
    if own and not strict:
        # Types may be used before they are defined, so only now it is known that this document
        # means its own type, say `uuid`.
        parser = DocumentParser(
            source, path=path, strict=strict, include_as=include_as, own_types=frozenset(own)
        )
        document = parser.document()
    return document


class DocumentParser(ValueParser):
    """Parses the headers and definitions of one document; used once.

    Args:
        source: The text of the document.
        path: The file it is from, for errors, or None.
        strict: Accept thriftrw's grammar, or else Apache's as well.
        include_as: Accept ``include name "path"``.
        own_types: Of ``LENIENT_BASE_TYPES``, those that the document itself defines.

    """

    __slots__ = ("include_as",)

    index: int

    def __init__(
        self,
        source: str,
        *,
        path: str | None,
        strict: bool,
        include_as: bool,
        own_types: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(source, path=path, strict=strict, own_types=own_types)
        self.include_as: bool = include_as

    def document(self) -> Document:
        """Headers, then definitions."""
        document = Document(self.path, self.source, [], [], [])
        expected = _A_HEADER_OR_DEFINITION
        while self._header(document):
            self.skip(";")
        parse_definition: dict[str, Callable[[str | None], Definition]] = {
            "const": self._const,
            "typedef": self._typedef,
            "enum": self._enum,
            "struct": self._struct,
            "union": self._struct,
            "exception": self._struct,
            "service": self._service,
        }
        while True:
            kind = self.kinds[self.index]
            if kind in parse_definition:
                document.definitions.append(parse_definition[kind](self.doc(self.index)))
            elif kind == "end":
                return document
            elif not self.strict and self.skip_word("senum"):
                document.definitions.append(self._senum(self.doc(self.index - 1)))
            else:
                self._refuse(expected)
            expected = _A_DEFINITION

    def _refuse(self, expected: str) -> None:
        """Say why this token begins no definition."""
        kind, text = self.kinds[self.index], self.texts[self.index]
        if kind in {"include", "namespace"}:
            self.unexpected(f"{expected}; includes and namespaces stand before all definitions")
        if kind == "identifier" and text in _FORMER_HEADERS:
            self.unexpected(f"'namespace {_FORMER_HEADERS[text]}', which replaces {text}")
        self.unexpected(expected)

    # -- headers --------------------------------------------------------------------------------

    def _header(self, document: Document) -> bool:
        """Parse one header if there is one, and tell whether there was."""
        if self.skip("include"):
            document.includes.append(self._include())
        elif self.skip("namespace"):
            document.namespaces.append(self._namespace())
        elif not self.strict and self.skip_word("cpp_include"):
            self.take_string("the file that C++ code includes, as a string")
        else:
            return False
        return True

    def _include(self) -> Include:
        alias = None
        pos = self.pos()
        if self.kinds[self.index] == "identifier":
            alias = self.take_name("a name or a path")
            path = self.take_string("the path of the included file, a string")
            if not self.include_as:
                raise error_at(
                    ThriftCompilerError,
                    f'Cannot include "{path}" as "{alias}": the "include-as" syntax is currently '
                    "disabled; Loader(include_as=True) enables it",
                    self,
                    pos,
                )
        else:
            path = self.take_string("the path of the included file, a string")
        return Include(path, alias, pos)

    def _namespace(self) -> Namespace:
        scope = "*"
        if not self.skip("*"):
            scope = self.take("identifier", "the namespace's language, or '*'")
        pos = self.pos()
        name = self.take("identifier", "the namespace's name")
        # Apache takes annotations here, but not with '*'.
        annotated = not self.strict and scope != "*"
        return Namespace(scope, name, pos, self.annotations() if annotated else [])

    # -- definitions ----------------------------------------------------------------------------

    def _const(self, doc: str | None) -> Const:
        self.index += 1
        type_ = self.type("the type of the constant")
        pos = self.pos()
        name = self.take_name("the name of the constant")
        self.take("=", "'=' and the value of the constant")
        value = self.const_value()
        self.skip_separator()
        return Const(name, type_, value, pos, doc=doc)

    def _typedef(self, doc: str | None) -> Typedef:
        self.index += 1
        type_ = self.type("the type that gets a name")
        pos = self.pos()
        name = self.take_name("the name of the type")
        annotations = self.annotations()
        if self.strict:
            self.skip(";")
        else:
            self.skip_separator()
        return Typedef(name, type_, pos, annotations, doc)

    def _enum(self, doc: str | None) -> Enum:
        self.index += 1
        pos = self.pos()
        name = self.take_name("the name of the enum")
        self.take("{", "'{' and the items of the enum")
        items: list[EnumItem] = []
        while not self.skip("}"):
            item_doc = self.doc(self.index)
            item_pos = self.pos()
            item_name = self.take_name(f"an item's name or '}}' of enum {name}")
            value = self.take_integer("the item's value, an integer") if self.skip("=") else None
            items.append(EnumItem(item_name, value, item_pos, self.annotations(), item_doc))
            self.skip_separator()
        annotations = self.annotations()
        self.skip(";")
        return Enum(name, items, pos, annotations, doc)

    def _senum(self, doc: str | None) -> Typedef:
        """``senum Name { "a", "b" }`` of early Apache releases: a string; its values bind nobody."""
        pos = self.pos()
        name = self.take_name("the name of the senum")
        self.take("{", "'{' and the strings of the senum")
        while not self.skip("}"):
            self.take_string(f"a string or '}}' of senum {name}")
            self.skip_separator()
        annotations = self.annotations()
        self.skip(";")
        return Typedef(name, BaseType("string", pos), pos, annotations, doc)

    def _struct(self, doc: str | None) -> Struct:
        kind = self.kinds[self.index]
        self.index += 1
        pos = self.pos()
        name = self.take_name(f"the name of the {kind}")
        if not self.strict and kind != "exception":
            self.skip_word("xsd_all")
        self.take("{", f"'{{' and the fields of the {kind}")
        fields = self._fields("}", f"{kind} {name}", name)
        annotations = self.annotations()
        self.skip(";")
        return Struct(kind, name, fields, pos, annotations, doc)

    def _fields(self, closing: str, what: str, owner: str) -> list[Field]:
        """Fields up to a bracket.

        Args:
            closing: The bracket.
            what: Whose fields these are, in words.
            owner: Whose fields these are, by name.

        """
        fields: list[Field] = []
        next_id = -1  # of a field without an ID
        kinds = self.kinds
        while kinds[self.index] != closing:
            doc = self.doc(self.index) if self.docs else None
            id = self._field_id()
            if id is None and not self.strict:
                id = next_id
            if id is not None and id <= next_id:
                next_id = id - 1
            required = None
            kind = kinds[self.index]
            if kind == "required" or kind == "optional":
                required = kind == "required"
                self.index += 1
            expected = "a field's type"
            if id is None or id < 0:
                expected = f"a field or '{closing}' of {what}"
            type_ = self.type(expected)
            if not self.strict:
                self.skip("&")
            pos = self.pos()
            name = self.take_name("the field's name")
            if id is None:
                raise error_at(
                    ThriftCompilerError,
                    f'Field "{name}" of "{owner}" does not have an explicit field ID. '
                    "Please specify the numeric ID for the field",
                    self,
                    pos,
                )
            default = self.const_value() if self.skip("=") else None
            if not self.strict:
                self._xsd()
            fields.append(Field(id, name, type_, required, default, pos, self.annotations(), doc))
            self.skip_separator()
        self.index += 1
        return fields

    def _field_id(self) -> int | None:
        """``ID :``, or nothing. An ID of 0 counts as none where Apache's rules hold."""
        if self.kinds[self.index] not in {"integer", "hexadecimal"}:
            return None
        pos = self.pos()
        id = self.take_integer("a field's ID")
        self.take(":", "':' after the field's ID")
        if id != 0:
            return id
        if self.strict:
            raise self.error(f"Line {pos.line}: Field ID 0 is reserved for internal use.", pos)
        return None

    def _xsd(self) -> None:
        """Step over the XML schema hints of a field, which say nothing here."""
        self.skip_word("xsd_optional")
        self.skip_word("xsd_nillable")
        if self.skip_word("xsd_attrs"):
            self.take("{", "'{' and the attributes")
            self._fields("}", "xsd_attrs", "xsd_attrs")

    # -- services -------------------------------------------------------------------------------

    def _service(self, doc: str | None) -> Service:
        self.index += 1
        pos = self.pos()
        name = self.take_name("the name of the service")
        parent = parent_pos = None
        if self.skip("extends"):
            parent_pos = self.pos()
            parent = self.take("identifier", "the name of the service that is extended")
        self.take("{", "'{' and the functions of the service")
        functions: list[Function] = []
        while not self.skip("}"):
            functions.append(self._function(name))
        annotations = self.annotations()
        self.skip(";")
        return Service(name, parent, functions, pos, parent_pos, annotations, doc)

    def _function(self, service: str) -> Function:
        doc = self.doc(self.index)
        oneway = self.skip("oneway") or self._async()
        returns = None
        if not self.skip("void"):
            returns = self.type(
                "the function's return type"
                if oneway
                else f"a function or '}}' of service {service}"
            )
        pos = self.pos()
        name = self.take_name("the function's name")
        owner = f"{service}.{name}"
        self.take("(", "'(' and the function's arguments")
        args = self._fields(")", f"the arguments of {owner}", owner)
        throws: list[Field] = []
        if self.skip("throws"):
            self.take("(", "'(' and the function's exceptions")
            throws = self._fields(")", f"the exceptions of {owner}", owner)
        annotations = self.annotations()
        self.skip_separator()
        return Function(name, returns, args, throws, oneway, pos, annotations, doc)

    def _async(self) -> bool:
        """Step over ``async``, Apache's former word for oneway, unless a type has that name."""
        if self.strict or self.texts[self.index] != "async":
            return False
        following = self.kinds[self.index + 1]
        if following == "identifier":
            found = self.kinds[self.index + 2] == "identifier"
        else:
            found = following == "void" or following in TYPE_KEYWORDS
        self.index += found
        return found
