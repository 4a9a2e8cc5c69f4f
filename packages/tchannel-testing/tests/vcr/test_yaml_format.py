"""What cassettes look like."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tchannel_testing.vcr import Failure, Interaction, Request, Response, yaml_format
from tchannel_testing.vcr.yaml_format import dump
from tchannel_testing.vcr.yaml_reader import load


def test_a_file_is_readable_and_in_a_fixed_order():
    request = Request(
        service="service",
        endpoint="endpoint",
        headers=b"",
        body=b"zwei\nZeilen \xc3\xa9\n",
        hostport="127.0.0.1:1",
        known_peers=["127.0.0.1:2"],
        transport_headers={"cn": "client", "as": "raw"},
    )

    text = dump([Interaction(request, Response(0, b"\xff", b"true"))]).decode()

    assert (
        text
        == """\
interactions:
- request:
    argScheme: 0
    body: |
      zwei
      Zeilen é
    endpoint: endpoint
    headers: ''
    hostPort: 127.0.0.1:1
    knownPeers:
    - 127.0.0.1:2
    serviceName: service
    transportHeaders:
    - key: as
      value: raw
    - key: cn
      value: client
  response:
    body: 'true'
    code: 0
    headers: !!binary |
      /w==
version: 1
"""
    )


def test_failures_stand_apart_with_their_place():
    request = Request("service", "endpoint")

    text = dump(
        [
            Interaction(request, Response()),
            Interaction(request, failure=Failure(3, "BusyError", "x")),
        ]
    ).decode()

    assert text.startswith(
        """\
failures:
- error:
    code: 3
    description: x
    type: BusyError
  position: 1
  request:
"""
    )


def test_a_json_request_is_written_as_tchannel_python_would():
    request = Request("service", "endpoint", body='{"a":[1,"é"]}'.encode(), scheme="json")

    assert """body: '{"a": [1, "\\u00e9"]}'""" in dump([Interaction(request, Response())]).decode()


def test_a_scheme_that_the_format_has_no_number_for_is_kept():
    request = Request("service", "endpoint", scheme="http", transport_headers={"cn": "me"})

    (again,) = load(dump([Interaction(request, Response())]), "file")

    assert again.request.scheme == "http"


def test_transport_headers_of_a_response_are_kept_where_there_are_any():
    plain, more = (
        Interaction(Request("s", "e"), Response(transport_headers=headers))
        for headers in ({"as": "raw"}, {"as": "raw", "fd": "domain"})
    )

    data = dump([plain, more])

    assert data.count(b"transportHeaders") == 3
    assert [loaded.response for loaded in load(data, "file")] == [plain.response, more.response]


texts = st.text(st.characters(codec="utf-8"))
headers = st.dictionaries(texts, texts, max_size=3)
requests = st.builds(
    Request,
    service=texts,
    endpoint=texts,
    headers=st.binary(),
    body=st.binary() | texts.map(str.encode),
    hostport=texts,
    scheme=st.just("raw"),
    known_peers=st.lists(texts, max_size=2),
    transport_headers=headers.map(lambda some: {**some, "as": "raw"}),
)
responses = st.builds(
    Response,
    code=st.sampled_from([0, 1]),
    headers=st.binary(),
    body=st.binary() | texts.map(str.encode),
    transport_headers=headers.map(lambda some: {**some, "as": "raw"}),
)
failures = st.builds(Failure, code=st.none() | st.integers(0, 255), type=texts, description=texts)
interactions = st.builds(Interaction, request=requests, response=responses) | st.builds(
    Interaction, request=requests, failure=failures
)


@given(st.lists(interactions, max_size=4))
def test_whatever_is_written_reads_back_the_same(recorded):
    assert load(dump(recorded), "file") == recorded


@pytest.mark.parametrize("body", [b"\n", b"a\n\n\n", b" lead\ntrail \n\n", b"...\n"])
def test_a_file_is_the_same_by_either_emitter(body, monkeypatch):
    recorded = [Interaction(Request("service", "endpoint", body=body), Response(body=body))]
    ours = dump(recorded)
    plain = type("Plain", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    plain.yaml_representers = yaml_format._Dumper.yaml_representers
    monkeypatch.setattr(yaml_format, "_Dumper", plain)

    assert dump(recorded) == ours
    assert load(ours, "file")[0].request.body == body


def test_megabytes_of_text_take_no_time_to_speak_of():
    body = b"some words of a line\n" * 100_000

    started = time.process_time()
    dump([Interaction(Request("service", "endpoint", body=body), Response())])

    if hasattr(yaml, "CSafeDumper"):  # the other one takes 2 seconds
        assert time.process_time() - started < 1
