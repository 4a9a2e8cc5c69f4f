"""Private attributes stay within their room: a wing of the core, a folder of another package.

Ruff's SLF001 cannot know rooms, so it looks at what stands in front, where nothing private of others
is touched, and this test at the rooms: what a room touches on an object it has to define itself. Each
exception stands in `MEASURED`, with what it bought.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# The file, the attribute, and what touching it buys.
MEASURED = {
    ("tchannel/_calls/intercepted.py", "_origin"): "an intercepted call without a call of __init__",
    (
        "tchannel/_calls/intercepted.py",
        "_future",
    ): "the same, and no Future where nobody waits: 5 %",
    ("tchannel/_calls/intercepted.py", "_outcome"): "the same",
    ("tchannel/_calls/outgoing.py", "_future"): "an answer given to interceptors without a Future",
    ("tchannel/_calls/outgoing.py", "_outcome"): "the same",
    ("tchannel/_calls/call_state.py", "_transport"): "a request for hooks without __init__: 0.6 %",
    ("tchannel/_calls/call_state.py", "_arg2"): "the same",
    ("tchannel/_calls/call_state.py", "_headers"): "the same",
    ("tchannel/_calls/call_state.py", "_tracing"): "the same",
    ("tchannel/_serving/intercepted.py", "_origin"): "as for outgoing calls",
    ("tchannel/_serving/intercepted.py", "_future"): "as for outgoing calls",
    ("tchannel/_serving/intercepted.py", "_outcome"): "as for outgoing calls",
    ("tchannel/_serving/answering.py", "_future"): "as for outgoing calls",
    ("tchannel/_serving/answering.py", "_outcome"): "as for outgoing calls",
    ("tchannel/_serving/incoming.py", "_origin"): "as for outgoing calls",
    ("tchannel/_serving/incoming.py", "_future"): "as for outgoing calls",
    ("tchannel/_serving/incoming.py", "_outcome"): "as for outgoing calls",
}

# What other libraries call private and is the only way all the same.
FOREIGN = {
    ("tchannel", "_SSLMethod"): "the type of ssl.PROTOCOL_TLS_CLIENT, in an annotation",
    ("tchannel", "_asyncio_future_blocking"): "what a Future says to the task that awaits it",
    ("tchannel_thrift", "_SubParsersAction"): "argparse names the type of its results no other way",
    ("tchannel_hyperbahn", "_SubParsersAction"): "the same",
    ("tchannel_tools", "_ArgumentGroup"): "the same",
    ("tchannel_tools", "_SubParsersAction"): "the same",
    ("tchannel_tools", "_actions"): "argparse tells its options nowhere else",
    ("tchannel_tools", "_action_groups"): "the same",
    ("tchannel_tools", "_group_actions"): "the same",
    ("tchannel_tools", "_choices_actions"): "the same",
    ("tchannel", "_current_frames"): "sys tells the stacks of other threads no other way",
    ("tchannel_thrift", "_getframe"): "the caller's module, as thriftrw's install() takes it",
    ("tchannel_testing", "_genfunctions"): "pytest has no other way to collect a function",
    ("tchannel_testing", "_fixtureinfo"): "pytest has no other way to add a fixture to a test",
}

# Packages whose layers are one room from inside.
ONE_ROOM = {"tchannel_wire", "tchannel_thrift/rw"}


def room_of(path: str) -> str:
    """The room of a file, given by its path below ``src``."""
    for room in ONE_ROOM:
        if path.startswith(f"{room}/"):
            return room
    package, first, *rest = path.split("/")
    return f"{package}/{first}" if rest else package


def defined_in(tree: ast.AST) -> Iterator[str]:
    """The private names that a file defines: slots, fields, methods, attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # in __slots__
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and own(node):
            yield node.attr


def own(node: ast.Attribute) -> bool:
    value = node.value
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) == "super"
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def touched_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The private attributes that a file touches on objects other than its own self."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.endswith("__")
            and not own(node)
        ):
            yield node.lineno, node.attr


def trespasses(files: dict[str, str]) -> dict[tuple[str, str], int]:
    """What files (text by path below ``src``) touch of other rooms: the line, by file and name."""
    trees = {path: ast.parse(text) for path, text in files.items()}
    rooms: dict[str, set[str]] = {}
    for path, tree in trees.items():
        rooms.setdefault(room_of(path), set()).update(defined_in(tree))
    return {
        (path, name): line
        for path, tree in trees.items()
        for line, name in touched_in(tree)
        if name not in rooms[room_of(path)]
    }


def files_of(distribution) -> dict[str, str]:
    source = distribution.package.parent
    return {
        str(path.relative_to(source)): path.read_text()
        for path in sorted(Path(distribution.package).rglob("*.py"))
        if "generated" not in path.parts
    }


def test_no_room_touches_what_is_private_in_another(distribution):
    package = distribution.package.name
    found = {
        place: line
        for place, line in trespasses(files_of(distribution)).items()
        if place not in MEASURED and (package, place[1]) not in FOREIGN
    }

    assert found == {}


def test_every_exception_is_still_needed(distributions):
    found = {
        place
        for distribution in distributions.values()
        for place in trespasses(files_of(distribution))
    }

    assert set(MEASURED) <= found
    assert set(FOREIGN) <= {(path.split("/")[0], name) for path, name in found}


@pytest.mark.parametrize(
    ("path", "touches", "allowed"),
    [
        ("tchannel/_links/peers.py", "peer._bucket", True),
        ("tchannel/_links/table.py", "peer._bucket", True),
        ("tchannel/_calls/outgoing.py", "peer._bucket", False),
        ("tchannel/channel.py", "peer._bucket", False),
        ("tchannel/_calls/outgoing.py", "self._bucket", True),
        ("tchannel/_calls/outgoing.py", "super()._bucket()", True),
        ("tchannel/_calls/outgoing.py", "peer.__class__", True),
    ],
)
def test_the_rule_tells_right_from_wrong(path, touches, allowed):
    files = {"tchannel/_links/peers.py": "class Peer:\n __slots__ = ('_bucket',)\n"}
    files[path] = files.get(path, "") + f"def f(peer):\n return {touches}\n"

    assert (trespasses(files) == {}) == allowed
