"""What fuzzing begins with: one honest input of each kind.

A fuzzer that begins with nothing spends its first hour on the length of a frame.
"""

import json
from pathlib import Path

import tchannel_wire as wire
from tchannel_testing import data as testing_data
from tchannel_thrift import rw

__all__ = ["seeds"]

_ROOT = Path(__file__).resolve().parents[3]


def seeds(target: str) -> list[bytes]:
    """Some first inputs of a target."""
    return _SEEDS[target]()


def _recorded() -> list[bytes]:
    """The recorded frames of other implementations, the short ones."""
    folder = _ROOT / "packages" / "tchannel-wire" / "tests" / "vectors"
    return [
        bytes.fromhex(entry["frame"])
        for path in sorted(folder.glob("*.json"))
        for entry in json.loads(path.read_text())["frames"]
        if len(entry["frame"]) < 2000
    ]


def _frames() -> list[bytes]:
    frames = _recorded()
    return [b"\0" + frame for frame in frames[:20]] + [b"\2\0\x05\0\x30" + b"".join(frames[:3])]


def _messages() -> list[bytes]:
    types = [*map(int, wire.FrameType)]
    return [bytes([types.index(frame[2])]) + frame[16:] for frame in _recorded()[:40]]


def _connection() -> list[bytes]:
    """Decisions rather than bytes: any will do."""
    raw = [bytes([0, 1, 1, 0, len(frame)]) + frame for frame in _recorded() if len(frame) < 250]
    mixed = [bytes(range(start, 256, 7)) * 2 for start in range(7)]
    return raw[:10] + mixed


def _thrift_headers() -> list[bytes]:
    return [
        wire.encode_thrift_headers(pairs)
        for pairs in ({}, {"a": "b"}, {"": ""}, {"k" * 300: "v"}, {"é": "\udcff"})
    ]


def _payloads() -> list[bytes]:
    module = rw.Loader().load(testing_data.IDL)
    point = module.Point(1.0, 2.0)
    everything = module.Everything(
        aBool=True, aByte=1, anI16=2, anI32=3, anI64=4, aDouble=5.0, aString="s", aBinary=b"\xff",
        aColor=2, aName="n", aPoint=point, aList=[1, 2], aSet={"a"}, aMap={"k": 1}, scores={"s": 2},
        points=[point], nested={1: ["x"]},
    )  # fmt: skip
    return [
        b"\0" + module.dumps(everything),
        b"\1" + module.dumps(module.Shape(polygon=[point, point])),
        b"\2" + module.dumps(module.NotFound(key="k", message="m")),
        b"\4\x0c\0\1\x0c\0\1\0\0\0",
    ]


def _envelopes() -> list[bytes]:
    module = rw.Loader().load(testing_data.IDL)
    service = module.EverythingService
    return [
        module.dumps.message(service.get.request("key"), 1),
        module.dumps.message(service.get.response(success="value"), 1),
        module.dumps.message(service.get.response(notFound=module.NotFound("key")), 2),
        b"\x80\1\0\3\0\0\0\3get\0\0\0\1\x0b\0\1\0\0\0\2no\x08\0\2\0\0\0\1\0",
        b"\0\0\0\3get\1\0\0\0\1\x0b\0\1\0\0\0\1k\0",
    ]


def _idl() -> list[bytes]:
    texts = [Path(testing_data.IDL).read_bytes()]
    texts += [
        b'const map<string, list<i32>> M = {"a": [1, -2, 0x1F]}\nenum E { X = 1, Y; Z (d = "e") }',
        b"struct S { 1: required i32 a = 5 (f); 3: optional map<string, set<double>> c = {} }",
        b"typedef S T\nunion U { 1: bool a }\nexception X { 1: optional string m }\nstruct S { }",
        b"service A { oneway void f(1: i32 a) }\nservice B extends A { i32 g() }",
        b"const i32 A = B\nconst i32 B = A\nstruct S { 1: optional S s = {} }",
    ]
    return [flag + text for flag in (b"\0", b"\1") for text in texts]


def _json() -> list[bytes]:
    return [
        b"\2{}" + b"null",
        b'\x0b{"a":"\xffb"}' + b'{"k": [1, -2.5e3, true, "\\ud800", NaN]}',
        b"\0" + b"[" * 50,
    ]


def _cassettes() -> list[bytes]:
    folder = _ROOT / "packages" / "tchannel-testing" / "tests" / "vcr" / "tchannel_python"
    recorded = [path.read_bytes() for path in sorted(folder.glob("*.yaml"))]
    return [text for text in recorded if len(text) < 20_000] + [
        b"interactions: []\nversion: 1\n",
        b"version: 1\ninteractions:\n- &a !!python/object/apply:os.system [true]\n- *a\n",
    ]


_SEEDS = {
    "frames": _frames,
    "messages": _messages,
    "connection": _connection,
    "conversation": _connection,
    "thrift_headers": _thrift_headers,
    "payloads": _payloads,
    "envelopes": _envelopes,
    "idl": _idl,
    "json": _json,
    "cassettes": _cassettes,
}
