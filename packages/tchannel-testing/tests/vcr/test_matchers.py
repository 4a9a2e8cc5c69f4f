"""Which recording answers a request."""

import json

import pytest

from tchannel_testing import vcr
from tchannel_testing.vcr import MATCHERS, Request
from tchannel_wire import encode_thrift_headers


def request(**changes):
    return Request(
        **{
            "service": "service",
            "endpoint": "endpoint",
            "headers": b"headers",
            "body": b"body",
            "hostport": "127.0.0.1:1",
            "scheme": "raw",
            "transport_headers": {"as": "raw"},
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("name", "field", "other"),
    [
        ("serviceName", "service", "other"),
        ("hostPort", "hostport", "127.0.0.1:2"),
        ("endpoint", "endpoint", "other"),
        ("headers", "headers", b"other"),
        ("body", "body", b"other"),
        ("argScheme", "scheme", "thrift"),
        ("transportHeaders", "transport_headers", {"as": "raw", "sk": "shard"}),
    ],
)
def test_each_matcher_looks_at_its_field_and_no_other(name, field, other):
    changed = request(**{field: other})

    contents = {matcher: bool(MATCHERS[matcher](request(), changed)) for matcher in MATCHERS}

    assert contents == {matcher: matcher != name for matcher in MATCHERS}


@pytest.mark.parametrize(
    ("scheme", "encode"),
    [("json", lambda headers: json.dumps(headers).encode()), ("thrift", encode_thrift_headers)],
)
@pytest.mark.parametrize("key", ["$tracing$id", "traceparent", "tracestate", "baggage"])
def test_tracing_and_order_of_headers_do_not_matter(scheme, encode, key):
    live = request(scheme=scheme, headers=encode({key: "1", "a": "1", "b": "2"}))
    old = request(scheme=scheme)
    old.headers = encode({"b": "2", key: "9", "a": "1"})

    assert MATCHERS["headers"](live, old)
    assert not MATCHERS["headers"](live, request(scheme=scheme, headers=encode({"a": "1"})))


def test_tracing_is_not_recorded():
    headers = b'{"$tracing$id": "1", "a": "1", "traceparent": "00-1-2-01"}'
    live = request(scheme="json", headers=headers)

    assert json.loads(live.headers) == {"a": "1"}


def test_raw_headers_are_bytes_and_nothing_else():
    assert not MATCHERS["headers"](request(headers=b'{"a":1}'), request(headers=b'{"a": 1}'))


@pytest.mark.parametrize("scheme", ["json", "thrift"])
def test_headers_that_are_not_what_the_scheme_says_are_compared_as_bytes(scheme):
    broken = request(scheme=scheme, headers=b"\xff")

    assert MATCHERS["headers"](broken, request(scheme=scheme, headers=b"\xff"))
    assert not MATCHERS["headers"](broken, request(scheme=scheme, headers=b"\xfe"))


def test_a_json_body_matches_however_it_is_written():
    live = request(scheme="json", body='{"b":[1,null],"a":"é"}'.encode())

    assert MATCHERS["body"](live, request(scheme="json", body=b'{"a": "\\u00e9", "b": [1, null]}'))
    assert not MATCHERS["body"](live, request(scheme="json", body=b'{"a": "e", "b": [1, null]}'))
    assert not MATCHERS["body"](live, request(scheme="json", body=b"no json"))


async def test_by_default_the_peer_does_not_matter_but_it_can_be_told_to(recorded, client):
    elsewhere = {
        "service": "service",
        "endpoint": "echo",
        "body": b"one",
        "hostport": "127.0.0.1:1",
    }

    with vcr.use_cassette(recorded, "none"):
        assert (await client.raw(**elsewhere)).body == b"one"
    with (
        vcr.use_cassette(recorded, "none", matchers=[*vcr.DEFAULT_MATCHERS, "hostPort"]),
        pytest.raises(vcr.RequestNotFoundError, match=r"hostPort differs: now '127.0.0.1:1'"),
    ):
        await client.raw(**elsewhere)


async def test_matchers_may_be_fewer(recorded, echo):
    with vcr.use_cassette(recorded, "none", matchers=["endpoint"]):
        assert await echo(b"anything") == b"one"
        assert await echo(b"anything") == b"two"


async def test_a_function_can_match_in_its_own_way(recorded, echo):
    def same_length(live, old):
        assert len(live.body) == len(old.body), f"{len(live.body)} bytes are not {len(old.body)}"
        return True

    with vcr.use_cassette(recorded, "none", matchers=["endpoint", same_length]):
        assert await echo(b"xxx") == b"one"
        with pytest.raises(
            vcr.RequestNotFoundError, match="same_length differs: 4 bytes are not 3"
        ):
            await echo(b"xxxx")


async def test_a_function_that_returns_nothing_true_does_not_match(recorded, echo):
    with (
        vcr.use_cassette(recorded, "none", matchers=[lambda live, old: None]),
        pytest.raises(
            vcr.RequestNotFoundError, match="lambda> differs: the matcher is not content"
        ),
    ):
        await echo(b"one")


def test_an_unknown_matcher_is_refused_and_those_there_are_named(path):
    with (
        pytest.raises(vcr.VCRError, match=r"'bodies'.*serviceName, hostPort"),
        vcr.use_cassette(path, matchers=["bodies"]),
    ):
        pass


def test_one_name_instead_of_a_list_is_refused(path):
    with pytest.raises(vcr.VCRError, match=r"must be a list, as in \['body'\]"):
        vcr.Cassette(path, matchers="body")


def test_an_unknown_matcher_is_a_key_error_too_and_reads_as_a_sentence():
    with pytest.raises(KeyError) as caught:
        vcr.use_cassette("cassette.yaml", matchers=["bodies"]).__enter__()

    assert isinstance(caught.value, vcr.VCRError)
    assert str(caught.value).startswith("matcher 'bodies' is none of")


def test_errors_are_where_tchannel_python_had_them():
    from tchannel.testing.vcr.proxy import CannotRecordInteractionsError

    assert CannotRecordInteractionsError is vcr.CannotRecordInteractionsError
    with pytest.raises(ImportError, match=r"tchannel\.errors"):
        from tchannel.testing.vcr.proxy import VCRServiceError  # noqa: F401 - the import is the test
