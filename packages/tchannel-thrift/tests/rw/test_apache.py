"""Beside Apache Thrift and thriftpy2: each reads what the other writes."""

import io
import sys
import uuid

import pytest

from tchannel_thrift import rw

DOCUMENT = """
enum Color { RED, GREEN }
struct Point { 1: i32 x, 2: i32 y }
struct Everything {
    1: bool a, 2: byte b, 3: i16 c, 4: i32 d, 5: i64 e, 6: double f, 7: string g, 8: binary h,
    9: Color i, 10: Point j, 11: list<i32> k, 12: map<string, string> l, 13: set<i16> m,
    14: list<Point> n, 15: map<i32, list<Point>> o, 16: list<list<string>> p, 17: list<bool> q
}
"""


def arguments(point):
    return {
        "a": True, "b": -1, "c": 300, "d": -70000, "e": 1 << 40, "f": 2.5, "g": "zażółć",
        "h": b"\x00\xff", "i": 1, "j": point(x=1, y=-2), "k": [1, 2], "l": {"k": "v"}, "m": {7},
        "n": [point(x=3, y=4)], "o": {1: [point(x=5, y=6)], 2: []}, "p": [["a"], []],
        "q": [True, False],
    }  # fmt: skip


@pytest.fixture
def ours():
    return rw.Loader(strict=False).loads("apache", DOCUMENT)


@pytest.fixture(params=["whole", "some", "none"])
def names(request):
    return {"whole": "abcdefghijklmnopq", "some": "acegikmoq", "none": ""}[request.param]


class Apache:
    """Values by the ``thrift`` package, with the type tables that its compiler would write."""

    def __init__(self, protocol):
        from thrift.protocol.TBase import TBase
        from thrift.Thrift import TType as t

        class Point(TBase):
            thrift_spec = (
                None, (1, t.I32, "x", None, None), (2, t.I32, "y", None, None),
            )  # fmt: skip

            def __init__(self, x=None, y=None):
                self.x, self.y = x, y

        points = [Point, Point.thrift_spec]

        class Everything(TBase):
            thrift_spec = (
                None,
                (1, t.BOOL, "a", None, None),
                (2, t.BYTE, "b", None, None),
                (3, t.I16, "c", None, None),
                (4, t.I32, "d", None, None),
                (5, t.I64, "e", None, None),
                (6, t.DOUBLE, "f", None, None),
                (7, t.STRING, "g", "UTF8", None),
                (8, t.STRING, "h", "BINARY", None),
                (9, t.I32, "i", None, None),
                (10, t.STRUCT, "j", points, None),
                (11, t.LIST, "k", (t.I32, None, False), None),
                (12, t.MAP, "l", (t.STRING, "UTF8", t.STRING, "UTF8", False), None),
                (13, t.SET, "m", (t.I16, None, False), None),
                (14, t.LIST, "n", (t.STRUCT, points, False), None),
                (15, t.MAP, "o", (t.I32, None, t.LIST, (t.STRUCT, points, False), False), None),
                (16, t.LIST, "p", (t.LIST, (t.STRING, "UTF8", False), False), None),
                (17, t.LIST, "q", (t.BOOL, None, False), None),
            )

            def __init__(self, **values):
                for _, _, name, _, _ in self.thrift_spec[1:]:
                    setattr(self, name, values.get(name))

        self.Point, self.Everything = Point, Everything
        self._protocol = protocol

    def dumps(self, value):
        from thrift.transport.TTransport import TMemoryBuffer

        buffer = TMemoryBuffer()
        value.write(self._protocol(buffer))
        return buffer.getvalue()

    def loads(self, cls, payload):
        from thrift.transport.TTransport import TMemoryBuffer

        value = cls()
        value.read(self._protocol(TMemoryBuffer(payload)))
        return value


class Thriftpy2:
    """Values by thriftpy2."""

    def __init__(self):
        import thriftpy2

        name = f"apache_{uuid.uuid4().hex}_thrift"
        module = thriftpy2.load_fp(io.StringIO(DOCUMENT), name)
        sys.modules.pop(name, None)
        self.Point, self.Everything = module.Point, module.Everything

    def dumps(self, value):
        from thriftpy2.protocol import TBinaryProtocolFactory
        from thriftpy2.utils import serialize

        return serialize(value, TBinaryProtocolFactory())

    def loads(self, cls, payload):
        from thriftpy2.protocol import TBinaryProtocolFactory
        from thriftpy2.utils import deserialize

        return deserialize(cls(), payload, TBinaryProtocolFactory())


@pytest.fixture(params=["apache", "thriftpy2"])
def theirs(request):
    if request.param == "thriftpy2":
        pytest.importorskip("thriftpy2", reason="thriftpy2 is not installed")
        return Thriftpy2()
    pytest.importorskip("thrift", reason="Apache's thrift is not installed")
    from thrift.protocol.TBinaryProtocol import TBinaryProtocol

    return Apache(TBinaryProtocol)


def plain(value):
    """A value without its classes."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "x") and hasattr(value, "y"):
        return ("Point", value.x, value.y)
    # thriftpy2 reads sets as lists.
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def test_they_read_what_we_write(ours, theirs, names):
    values = {k: v for k, v in arguments(ours.Point).items() if k in names}
    payload = ours.dumps(ours.Everything(**values))
    read = theirs.loads(theirs.Everything, payload)
    for name in "abcdefghijklmnopq":
        assert plain(getattr(read, name)) == plain(values.get(name))


def test_we_read_what_they_write(ours, theirs, names):
    values = {k: v for k, v in arguments(theirs.Point).items() if k in names}
    payload = theirs.dumps(theirs.Everything(**values))
    read = ours.loads(ours.Everything, payload)
    for name in "abcdefghijklmnopq":
        assert plain(getattr(read, name)) == plain(values.get(name))
    assert ours.dumps(read) == payload


def test_apache_reads_our_message_and_we_read_its_exceptions():
    pytest.importorskip("thrift", reason="Apache's thrift is not installed")
    from thrift.protocol.TBinaryProtocol import TBinaryProtocol
    from thrift.Thrift import TApplicationException, TMessageType
    from thrift.transport.TTransport import TMemoryBuffer

    module = rw.Loader().loads("m", "service S { void f(1: string s) }")
    payload = module.dumps.message(module.S.f.request("x"), seqid=5)
    name, *rest = TBinaryProtocol(TMemoryBuffer(payload)).readMessageBegin()
    assert name in ("f", b"f")  # bytes until 0.17
    assert rest == [TMessageType.CALL, 5]
    for strict in (False, True):
        buffer = TMemoryBuffer()
        protocol = TBinaryProtocol(buffer, strictWrite=strict)
        protocol.writeMessageBegin("f", TMessageType.EXCEPTION, 6)
        TApplicationException(TApplicationException.INTERNAL_ERROR, "oops").write(protocol)
        protocol.writeMessageEnd()
        with pytest.raises(rw.UnknownExceptionError) as caught:
            module.loads.message(module.S, buffer.getvalue())
        response = caught.value.thrift_response
        assert (response.name, response.seqid, response.message_type) == (b"f", 6, 3)
        assert (response.body.message, response.body.type) == ("oops", 6)
