"""What our tcurl and the real one send: each word and each body, as an echo gives it back."""

import json

import pytest
from thirdparty.install import IDL
from thirdparty.tools import OURS, RunBoth, on_both, run_tool

KEYVALUE = str(IDL / "keyvalue.thrift")


@pytest.fixture
def on_node(node4) -> RunBoth:
    """Run our tool and the real one with the same arguments on tchannel-node."""
    return on_both(node4.hostport, node4.service)


@pytest.mark.parametrize(
    "word",
    ["hello", "true", "null", "5", "1e3", "0x10", "007", "+4", ".5", "1.", "a b", "5a", ""],
)
async def test_a_word_in_third_place_is_sent_alike(on_node, word):
    ours, nodes = await on_node("json-echo", word)

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json["body"] == nodes.json["body"]


@pytest.mark.parametrize(
    "words",
    [
        "[ -t -f -n ]",
        "[ --a -t --b -n --c [ 1 x ] ]",
        "[ -- -t -- [ a ]",
        "[ --a -- --b --c=-f ]",
        '[ --a {"b":[1,null]} --c=[] ]',
        "[ 007 0x1f 1e3 ]",
    ],
)
async def test_shell_object_notation_is_sent_alike(on_node, words):
    ours, nodes = await on_node("json-echo", *words.split())

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json["body"] == nodes.json["body"]


@pytest.mark.parametrize("body", ["true", '"a"', "[1]", "{}", "5", "1e3"])
async def test_a_json_body_is_sent_alike(on_node, body):
    ours, nodes = await on_node("json-echo", "-3", body)

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json["body"] == nodes.json["body"]


@pytest.mark.parametrize(
    ("place", "sent", "nodes_sent"),
    [
        (("-3", "null"), None, "null"),
        (("-3", "false"), False, "false"),
        (("-3", "0"), 0, "0"),
        (("-3", '""'), "", '""'),
        (("[1]",), [1], "[1]"),
        (('"a"',), "a", '"a"'),
        (("0",), 0, {}),
    ],
    ids=str,
)
async def test_json_that_the_real_tool_takes_for_text_is_sent_as_what_it_is(
    on_node, place, sent, nodes_sent
):
    ours, nodes = await on_node("json-echo", *place)

    assert (ours.code, nodes.code) == (0, 0)
    assert (ours.json["body"], nodes.json["body"]) == (sent, nodes_sent)


@pytest.mark.parametrize(
    "form", ["0000000000000abc", [0, 0, 0, 0, 0, 0, 1, -1], {"hi": 1, "lo": 2}, 5, -7]
)
async def test_an_i64_is_sent_alike_in_each_form_of_the_real_tool(on_node, form):
    body = json.dumps({"everything": {"large": form, "numbers": [3, 1, 2]}})

    ours, nodes = await on_node("KeyValue::echo", "-t", KEYVALUE, "-3", body)

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json["body"] == nodes.json["body"]


async def test_what_is_printed_of_a_message_can_be_sent_again(node4):
    to = ("-p", node4.hostport, node4.service, "KeyValue::echo", "-t", KEYVALUE, "-3")
    body = {"large": 2**62, "bytes": "ab", "real": 1.5, "point": {"x": 1, "y": 2}, "colour": "RED"}

    first = await run_tool(OURS, *to, json.dumps({"everything": body}))
    again = await run_tool(OURS, *to, json.dumps({"everything": first.json["body"]}))

    assert again.json == first.json
    assert again.json["body"]["large"] == {"type": "Buffer", "data": [64, 0, 0, 0, 0, 0, 0, 0]}
