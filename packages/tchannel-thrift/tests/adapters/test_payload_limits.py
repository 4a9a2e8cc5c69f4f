"""What the values of a payload may come to, where other libraries than the engine read it."""

from __future__ import annotations

import struct

import pytest

from tchannel.errors import BadRequestError
from tchannel_thrift import rw
from tchannel_thrift.adapters import payloads
from tchannel_thrift.adapters.payloads import PayloadGuard, SizeGuard
from tchannel_thrift.rw.protocol.budget import Limits

WIDE = "".join(f"{n}: optional i32 f{n} " for n in range(1, 51))
DOCUMENT = f"""
struct Wide {{ {WIDE} }}
struct S {{ 1: optional list<Wide> wides 2: optional map<i32, Wide> m 3: optional set<i32> s }}
"""


@pytest.fixture
def spec():
    return rw.Loader().loads("m", DOCUMENT).S.type_spec


def wides(count, code=12):
    return struct.pack(">bhbi", 15, 1, code, count) + bytes(count) + b"\0"


@pytest.fixture
def tight(monkeypatch):
    monkeypatch.setattr(payloads, "_LIMITS", Limits(max_objects=1000, max_decoded_size=100_000))


@pytest.mark.parametrize("guard", [SizeGuard, PayloadGuard])
def test_what_comes_to_too_much_is_refused(spec, guard, tight):
    with pytest.raises(rw.ThriftProtocolError, match=r"structs and containers|bytes of memory"):
        guard(spec).check(wides(50_000))


@pytest.mark.parametrize("guard", [SizeGuard, PayloadGuard])
def test_what_is_small_or_needs_its_bytes_passes(spec, guard, tight):
    guard(spec).check(wides(100))
    full = b"\x08\0\1\0\0\0\5" * 20 + b"\0"
    guard(spec).check(struct.pack(">bhbi", 15, 1, 12, 1000) + full * 1000 + b"\0")
    guard(spec).check(struct.pack(">bhbi", 14, 3, 8, 2000) + bytes(8000) + b"\0")


def test_unusual_elements_are_apaches_affair_and_thriftrws_end(spec, tight):
    odd = wides(50_000, code=2)
    SizeGuard(spec).check(odd)
    with pytest.raises(rw.ThriftProtocolError, match="container of bool"):
        PayloadGuard(spec).check(odd)


@pytest.mark.parametrize("flavour", ["apache_dynamic", "apache_plain"])
async def test_apaches_code_does_not_get_to_read_it(server, client, apache, flavour, tight):
    text = f"struct Wide {{ {WIDE} }} service Wides {{ void put(1: list<Wide> wides) }}"
    service = apache(flavour, "wides.Wides", text)
    server.thrift.register(service, lambda request: None, "put")

    with pytest.raises(BadRequestError, match=r"structs and containers|bytes of memory"):
        await client.call("thrift", "keyvalue", "Wides::put", b"\0\0", wides(50_000))
    await client.call("thrift", "keyvalue", "Wides::put", b"\0\0", wides(100))
