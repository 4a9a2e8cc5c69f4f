"""What Apache's compiler and the parser both accept, they read alike.

The compiler's JSON generator writes down what it has read: names, IDs, requiredness, values, docs.
"""

from __future__ import annotations

import json
import subprocess

from tchannel_thrift.rw.errors import ThriftParserError
from tchannel_thrift.rw.idl import ast, parse

READ_OTHERWISE = {
    # IDs that are given stay; Apache replaces those that are not positive by the next automatic one.
    "FieldIdentifier: negative",
    "FieldIdentifier: none, then the same negative",
    "FieldIdentifier: the same negative twice",
    # Apache keeps a doc comment until the next thing that can have one, however far away.
    "doc comment: where none belongs",
    # Apache takes one of the stars that close the comment for text.
    "doc comment: stars inside",
    # The tree has the name alone; that it means the wanted enum's item is for linking to find.
    "item: of the wanted enum under another's name",
}

NO_JSON = {
    # The JSON generator refuses these names and this type, and writes keys that are no JSON.
    "identifier: words of other languages",
    "reserved word: words that Python has reserved since",
    "Typedef: unknown type that nothing uses",
    "ConstMap: list as key",
    "symbol: all of them",
}


def words(doc):
    """A doc without its layout: Apache drops indentation, which this engine keeps."""
    return None if doc is None else doc.split()


def theirs(program):
    def fields(nodes, *, declared):
        return [
            (node["key"], node["name"], node["required"] if declared else None,
             words(node.get("doc")), node.get("default"))
            for node in nodes
        ]  # fmt: skip

    return {
        "enums": [
            (node["name"], words(node.get("doc")),
             [(item["name"], item["value"], words(item.get("doc"))) for item in node["members"]])
            for node in program["enums"]
        ],
        "structs": [
            (node["name"], words(node.get("doc")), node["isException"], node["isUnion"],
             fields(node["fields"], declared=not node["isUnion"]))
            for node in program["structs"]
        ],
        "typedefs": [(node["name"], words(node.get("doc"))) for node in program["typedefs"]],
        "constants": [
            (node["name"], words(node.get("doc")), node["value"]) for node in program["constants"]
        ],
        "services": [
            (node["name"], words(node.get("doc")), node.get("extends"),
             [(function["name"], words(function.get("doc")), function["oneway"],
               function["returnTypeId"] == "void",
               fields(function["arguments"], declared=False),
               fields(function["exceptions"], declared=False))
              for function in node["functions"]])
            for node in program["services"]
        ],
    }  # fmt: skip


def ours(document):
    requiredness = {True: "required", False: "optional", None: "req_out"}
    constants = {node.name: node for node in document.definitions if type(node) is ast.Const}
    items = {}
    enums = []
    for node in document.definitions:
        if type(node) is ast.Enum:
            numbered, value = [], -1
            for item in node.items:
                value = item.value if item.value is not None else value + 1
                numbered.append((item.name, value, words(item.doc)))
                items[f"{node.name}.{item.name}"] = value
            enums.append((node.name, words(node.doc), numbered))

    def value(node):
        match node:
            case ast.ConstPrimitive():
                return node.value
            case ast.ConstReference():
                return items[node.name] if node.name in items else value(constants[node.name].value)
            case ast.ConstList():
                return [value(item) for item in node.values]
            case ast.ConstMap():
                return {str(value(key)): value(item) for key, item in node.pairs}
        return None

    def fields(nodes, *, declared):
        return [
            (node.id, node.name, requiredness[node.required] if declared else None,
             words(node.doc), value(node.default))
            for node in nodes
        ]  # fmt: skip

    definitions = document.definitions
    structs = [node for node in definitions if type(node) is ast.Struct]
    return {
        "enums": enums,
        "structs": [
            (node.name, words(node.doc), node.kind == "exception", node.kind == "union",
             fields(node.fields, declared=node.kind != "union"))
            for node in structs
        ],
        "typedefs": [
            (node.name, words(node.doc)) for node in definitions if type(node) is ast.Typedef
        ],
        "constants": [(node.name, words(node.doc), value(node.value)) for node in constants.values()],
        "services": [
            (node.name, words(node.doc), node.parent,
             [(function.name, words(function.doc), function.oneway, function.returns is None,
               fields(function.args, declared=False), fields(function.throws, declared=False))
              for function in node.functions])
            for node in definitions
            if type(node) is ast.Service
        ],
    }  # fmt: skip


def test_what_both_accept_they_read_alike(case, compiler, tmp_path):
    path = case.write(tmp_path)
    if case.apache == "refused" or case.id in NO_JSON or len(case.files) > 1:
        return
    try:
        document = parse(path.read_text("utf-8"), strict=False)
    except ThriftParserError:
        return  # among the listed differences
    run = subprocess.run(
        [compiler, "-nowarn", "--gen", "json", "-out", tmp_path, path], check=False, timeout=20
    )
    assert run.returncode == 0
    program = json.loads((tmp_path / "case.json").read_text("utf-8"))
    assert (ours(document) == theirs(program)) is (case.id not in READ_OTHERWISE)
