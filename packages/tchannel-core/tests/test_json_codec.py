"""How bodies become JSON: the standard library, other libraries, and what is said of a bad value."""

import asyncio
import dataclasses
import datetime
import decimal
import uuid

import pytest

from tchannel import TChannel, errors
from tchannel.schemes import JsonCodec


def to_json(value):
    """The function of the guide."""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID | decimal.Decimal):
        return str(value)
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


@dataclasses.dataclass
class Point:
    x: int
    day: datetime.date


VALUES = {
    "when": datetime.datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
    ),
    "id": uuid.UUID(int=1),
    "price": decimal.Decimal("1.50"),
    "point": Point(1, datetime.date(2026, 1, 2)),
}
AS_JSON = {
    "when": "2026-01-02T03:04:05+02:00",
    "id": "00000000-0000-0000-0000-000000000001",
    "price": "1.50",
    "point": {"x": 1, "day": "2026-01-02"},
}


def codec_of(name):
    if name == "stdlib":
        return JsonCodec(default=to_json)
    library = pytest.importorskip(name, reason="there may be no wheel of it for this Python")
    if name == "orjson":
        return JsonCodec(lambda value: library.dumps(value, default=to_json), library.loads)
    return JsonCodec(library.json.encode, library.json.decode)


@pytest.fixture(params=["stdlib", "orjson", "msgspec"])
async def pair(request):
    codec = codec_of(request.param)
    server, client = TChannel("server", "127.0.0.1:0", json=codec), TChannel("client", json=codec)
    server.listen()
    async with server, client:
        yield server, client


async def test_values_of_other_types_go_both_ways(pair):
    server, client = pair
    seen = []
    server.json.register("values", lambda request: seen.append(request.body) or VALUES)

    response = await client.json("server", "values", VALUES, hostport=server.hostport)

    assert seen == [AS_JSON]
    assert response.body == AS_JSON


async def test_what_is_no_json_is_refused_on_both_sides(pair):
    server, client = pair
    server.json.register("echo", lambda request: request.body)
    server.interceptors.incoming.append(spoil)

    with pytest.raises(errors.BadRequestError, match="cannot decode the request"):
        await client.call("json", "server", "echo", b"{}", b"{", hostport=server.hostport)
    with pytest.raises(errors.ReadError, match="the answer is no JSON"):
        await client.json("server", "echo", {"a": 1}, hostport=server.hostport)


async def spoil(call, proceed):
    reply = await proceed(call)
    reply.arg3 = b"{"
    return reply


async def test_an_unencodable_value_is_named_by_its_place(pair):
    server, client = pair
    server.json.register("bad", lambda request: {"a": [object()]})

    with pytest.raises(
        TypeError, match=r"^body cannot become JSON: .*\(at \['users'\]\[1\]\['x'\]\)$"
    ):
        client.json("s", "e", {"users": [1, {"y": 2, "x": object()}]}, hostport=server.hostport)
    with pytest.raises(
        errors.UnexpectedError, match=r"handler cannot become JSON.*\(at \['a'\]\[0\]\)"
    ):
        await client.json("server", "bad", hostport=server.hostport)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (object(), ""),
        ({"a": object()}, r" \(at \['a'\]\)"),
        ([[1], (2, {3})], r" \(at \[1\]\[1\]\)"),
        ({"a": float("nan")}, r" \(at \['a'\]\)"),
        ({"a": {(1, 2): 3}}, r" \(at \['a'\]\)"),
    ],
)
def test_the_place_is_the_innermost_that_fails(body, place):
    with pytest.raises((TypeError, ValueError), match=rf"[^)]{place}$"):
        JsonCodec().encode(body, "body")


def test_a_circle_has_no_place_and_ends():
    circle = []
    circle.append({"again": circle})

    with pytest.raises(ValueError, match="cannot become JSON"):
        JsonCodec().encode(circle, "body")


def test_what_is_too_deep_says_so():
    deep = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(ValueError, match="nested too deeply"):
        JsonCodec().encode(deep, "body")


async def test_sub_channels_and_threads_have_the_codec_of_their_channel():
    from tchannel import sync

    codec = JsonCodec(default=to_json)
    server = TChannel("server", "127.0.0.1:0", json=codec)
    server.service("other").json.register("day", lambda request: datetime.date(2026, 1, 2))
    server.listen()
    client = sync.TChannel("client", json=codec)
    async with server:
        call = client.json("other", "day", VALUES, hostport=server.hostport)
        assert (await asyncio.wrap_future(call)).body == "2026-01-02"
        await asyncio.to_thread(client.close)


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"encode": 5}, TypeError, "encode must be a function"),
        ({"decode": "x"}, TypeError, "decode must be a function"),
        ({"default": 1}, TypeError, "default must be a function"),
        ({"encode": repr, "default": repr}, ValueError, "not both"),
    ],
)
def test_a_mistake_is_refused_when_it_is_made(arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        JsonCodec(**arguments)


def test_a_channel_takes_a_codec_and_nothing_else():
    import json

    with pytest.raises(TypeError, match=r"json must be a tchannel\.schemes\.JsonCodec"):
        TChannel("name", json=json)


def test_an_encoder_gives_bytes_or_a_str():
    with pytest.raises(TypeError, match="must give bytes or str, not 5"):
        JsonCodec(lambda value: 5).encode({}, "body")
