"""Reading cassettes: other people's, old ones, and broken ones."""

import contextlib
import pickle
import re

import pytest
import yaml

from tchannel_testing import vcr
from tchannel_testing.vcr import yaml_reader
from tchannel_testing.vcr.yaml_reader import load

GOOD = """\
interactions:
- request:
    argScheme: 0
    body: body
    endpoint: endpoint
    headers: headers
    hostPort: 127.0.0.1:1
    knownPeers: []
    serviceName: service
    transportHeaders:
    - key: as
      value: raw
  response:
    body: body
    code: 0
    headers: headers
version: 1
"""


def read(text):
    return load(text.encode() if isinstance(text, str) else text, "some/file.yaml")


def test_a_minimal_request_has_the_defaults_of_the_format():
    (only,) = read(
        "interactions:\n"
        "- request: {serviceName: s, endpoint: e, body: b}\n"
        "  response: {code: 1, body: c}\n"
        "version: 1\n"
    )

    assert only.request == vcr.Request("s", "e", body=b"b")
    assert only.response == vcr.Response(1, body=b"c", transport_headers={"as": "raw"})


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("!!python/unicode 'caf\\u00e9'", b"caf\\u00e9"),
        ('!!python/unicode "caf\\xe9"', "café".encode()),
        ('!!python/str "caf\\xe9\\n"', "café\n".encode()),
        ("!!binary |\n      /wA=", b"\xff\x00"),
        ('!!binary ""', b""),
        ("'123'", b"123"),
    ],
)
def test_the_tags_of_old_files_mean_what_they_meant(written, read_as):
    (only,) = read(GOOD.replace("body: body\n    endpoint", f"body: {written}\n    endpoint"))

    assert only.request.body == read_as


def test_an_anchor_may_be_used_again():
    (only,) = read(
        GOOD.replace("serviceName: service", "serviceName: &a shared").replace(
            "body: body\n    code", "body: *a\n    code"
        )
    )

    assert only.response.body == b"shared"


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "null\n"])
def test_an_empty_file_has_no_recordings(text):
    assert read(text) == []


def test_failures_go_where_they_were_recorded():
    failure = "{request: {serviceName: s, endpoint: '%s', body: b}, position: %d, error: {code: null, type: T, description: d}}"
    text = (
        GOOD
        + "failures:\n"
        + "".join(f"- {failure % place}\n" for place in [("first", 0), ("third", 1), ("fourth", 1)])
    )

    assert [one.request.endpoint for one in read(text)] == ["first", "endpoint", "third", "fourth"]


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        (("version: 1", "version: 2"), 17, "version 2 of the cassette format is not supported"),
        (("version: 1\n", ""), 1, "the cassette has no 'version'"),
        (("interactions:", "recordings:"), 1, "the cassette has no 'interactions'"),
        (("version: 1", "versoin: 1"), 17, "the cassette has no 'version', but 'versoin'"),
        (("    endpoint: endpoint\n", ""), 3, "the request of interaction 1 has no 'endpoint'"),
        (("    code: 0\n", ""), 14, "the response of interaction 1 has no 'code'"),
        (("  response:", "  reply:"), 2, "interaction 1 has no 'response'"),
        (("body: body\n    end", "body: 12\n    end"), 4, "body of the request of interaction 1 must be text or !!binary, not '12' (!!int): put it in quotes"),
        (("body: body\n    end", "body: [a]\n    end"), 4, "not a list"),
        (("body: body\n    end", "body:\n    end"), 4, "not nothing"),
        (("body: body\n    end", "body: !!binary '###'\n    end"), 4, "is not valid base64"),
        (("service\n", "!!binary /w==\n"), 9, "serviceName of the request of interaction 1 must be UTF-8"),
        (("argScheme: 0", "argScheme: 3"), 3, "must be 0 (raw), 1 (json) or 2 (thrift), not 3"),
        (("argScheme: 0", "argScheme: raw"), 3, "must be a number, not 'raw' (!!str)"),
        (("code: 0", "code: 2"), 15, "code of the response of interaction 1 must be 0 or 1, not 2"),
        (("knownPeers: []", "knownPeers: none"), 8, "must be a list, not 'none' (!!str)"),
        (("knownPeers: []", "knownPeers: [{}]"), 8, "a peer in knownPeers"),
        (("- key: as", "- kee: as"), 11, "has no 'key'"),
        (("      value: raw", "      value: raw\n      more: x"), 13, "unknown field 'more'"),
        (("    headers: headers\nversion", "    header: headers\nversion"), 16, "unknown field 'header', did you mean 'headers'?"),
        (("version: 1", "version: 1\nversion: 1"), 18, "has 'version' twice"),
        (("body: body\n    end", "body: !!python/object/apply:os.system [ls]\n    end"), 4, "must be text"),
        (("    body: body\n    end", "\tbody: body\n    end"), 4, "not YAML"),
        (("- key: as", "- key: [as"), 12, "not YAML"),
        (("interactions:\n", "interactions: {}\nx:\n"), 1, "interactions must be a list, not a mapping"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_with_file_line_and_field(change, line, problem):
    text = GOOD.replace(*change, 1)
    assert text != GOOD

    with pytest.raises(vcr.InvalidCassetteError, match=re.escape(problem)) as caught:
        read(text)

    assert str(caught.value).startswith(f"some/file.yaml, line {line}: ")
    assert caught.value.line == line


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml_reader._Loader])
def test_half_a_surrogate_pair_is_refused_by_either_parser(loader, monkeypatch):
    monkeypatch.setattr(yaml_reader, "_Loader", loader)

    with pytest.raises(vcr.InvalidCassetteError, match="line 4"):
        read(GOOD.replace("body: body", 'body: "\\ud800"', 1))


def test_a_newer_version_has_an_error_of_its_own():
    with pytest.raises(vcr.UnsupportedVersionError):
        read(GOOD.replace("version: 1", "version: 2"))


@pytest.mark.parametrize(
    ("error", "line", "problem"),
    [
        ("position: 5, error: {code: 1, type: T, description: d}", 18, "position of failure 1 must be 0 to 1, not 5"),
        ("position: 0, error: {code: x, type: T, description: d}", 18, "code of the error of failure 1 must be a number"),
        ("position: 0", 18, "failure 1 has no 'error'"),
    ],
)  # fmt: skip
def test_a_broken_failure_is_told_too(error, line, problem):
    request = "request: {serviceName: s, endpoint: e, body: b}"
    text = GOOD.replace("version: 1", "version: 1\nfailures: [{" + request + ", " + error + "}]")

    with pytest.raises(vcr.InvalidCassetteError, match=re.escape(problem)) as caught:
        read(text)

    assert caught.value.line == line


def test_a_file_truncated_anywhere_is_refused_or_empty_but_never_half_read():
    for size in range(len(GOOD) - len("version: 1\n") + 1):
        with contextlib.suppress(vcr.InvalidCassetteError):
            assert read(GOOD[:size]) == []


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00", b"[" * 100_000, b"- just a list\n"])
def test_a_file_that_is_something_else_is_refused(data):
    with pytest.raises(vcr.InvalidCassetteError, match=r"some/file\.yaml"):
        read(data)


def test_nothing_in_a_file_can_run(tmp_path):
    with pytest.raises(vcr.InvalidCassetteError):
        read(f"!!python/object/apply:os.mkdir ['{tmp_path}/made']")

    assert list(tmp_path.iterdir()) == []


def test_the_error_survives_pickling_as_test_runners_do():
    error = pickle.loads(pickle.dumps(vcr.InvalidCassetteError("path", 3, "problem")))

    assert (error.path, error.line, error.problem) == ("path", 3, "problem")
