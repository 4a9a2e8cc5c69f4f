"""``strict=False`` accepts what Apache's compiler accepts: every difference is listed."""

from __future__ import annotations

import subprocess
from collections import defaultdict

import pytest


@pytest.mark.once  # of our code nothing is run
def test_the_corpus_says_what_the_compiler_does(case, compiler, tmp_path):
    path = case.write(tmp_path)
    run = subprocess.run(
        [compiler, "-nowarn", "--gen", "py", "-out", tmp_path, path],
        capture_output=True,
        check=False,
        timeout=20,
    )
    # Some wrong files make the compiler crash, which is no acceptance either.
    assert ("accepted" if run.returncode == 0 else "refused") == case.apache, run.stderr.decode()


def test_lenient_loading_does_what_the_compiler_does(case, differences, verdict, tmp_path):
    listed = [entry.we for entry in differences["lenient"] if case.id in entry.cases]
    expected = listed[0] if listed else case.apache
    assert verdict(case.write(tmp_path), strict=False) == expected


def test_every_construct_has_an_accepted_and_a_refused_case(corpus):
    verdicts = defaultdict(set)
    for case in corpus:
        verdicts[case.construct].add(case.apache)
    assert [construct for construct, seen in verdicts.items() if len(seen) != 2] == []


def test_every_difference_from_apache_is_one_and_has_a_reason(corpus, differences):
    verdicts = {case.id: case.apache for case in corpus}
    listed = [id for entry in differences["lenient"] for id in entry.cases]
    assert len(listed) == len(set(listed))
    for entry in differences["lenient"]:
        assert len(entry.because) > 20
        assert {verdicts[id] for id in entry.cases} == {"accepted", "refused"} - {entry.we}
