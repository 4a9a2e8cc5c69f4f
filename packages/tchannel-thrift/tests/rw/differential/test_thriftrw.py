"""``strict=True`` accepts and refuses what thriftrw 1.9.0 does: every difference is listed."""

from __future__ import annotations

import pytest

from tchannel_thrift.rw.errors import ThriftError
from tchannel_thrift.rw.idl import parse


@pytest.fixture(scope="session")
def thriftrw():
    return pytest.importorskip(
        "thriftrw", reason="thriftrw is not installed; it cannot be built for Python 3.12"
    )


@pytest.fixture(scope="session")
def thriftrw_loader(thriftrw):
    return thriftrw.loader.Loader()


def test_the_record_says_what_thriftrw_does(
    case, thriftrw_loader, thriftrw_verdict, thriftrw_verdicts, tmp_path
):
    verdict = thriftrw_verdict(thriftrw_loader, case.write(tmp_path))
    assert verdict == thriftrw_verdicts[case.id]


def test_strict_loading_does_what_thriftrw_does(
    case, differences, thriftrw_verdicts, verdict, tmp_path
):
    listed = [entry.we for entry in differences["strict"] if case.id in entry.cases]
    expected = listed[0] if listed else thriftrw_verdicts[case.id]
    assert verdict(case.write(tmp_path), strict=True) == expected


OTHERWORDED = {
    # thriftrw takes the word for the name of the include, and misses the path at the end.
    "Include: no quotes",
    # thriftrw reads on to the mistake in the grammar; here the field without an ID comes first.
    "xsd_attrs: after the others",
}


def parser_message(source):
    try:
        parse(source)
    except ThriftError as error:
        return str(error)
    return None


def test_messages_contain_those_of_thriftrw(case, thriftrw, thriftrw_loader):
    source = case.files["case.thrift"]
    try:
        thriftrw_loader.compiler.parser.parse(source)
    except thriftrw.errors.ThriftParserError as error:
        theirs = str(error)
    except TypeError:  # a list as a key
        return
    else:
        return
    ours = parser_message(source)
    assert ours is None or (theirs in ours) is (case.id not in OTHERWORDED)


def test_lenient_loading_accepts_what_strict_loading_accepts(case, verdict, tmp_path):
    path = case.write(tmp_path)
    if verdict(path, strict=True) == "accepted":
        assert verdict(path, strict=False) == "accepted"


def test_the_record_has_every_case_and_no_other(corpus, thriftrw_verdicts):
    assert sorted(thriftrw_verdicts) == sorted(case.id for case in corpus)


def test_every_difference_from_thriftrw_is_one_and_has_a_reason(differences, thriftrw_verdicts):
    listed = [id for entry in differences["strict"] for id in entry.cases]
    assert len(listed) == len(set(listed))
    for entry in differences["strict"]:
        assert len(entry.because) > 20
        verdicts = {thriftrw_verdicts[id] for id in entry.cases}
        assert verdicts == {"accepted", "refused"} - {entry.we}
