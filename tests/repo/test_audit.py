"""What an audit of the dependencies says, and above all what it does not say."""

import importlib.util

import pytest


@pytest.fixture(scope="module")
def audit(root):
    spec = importlib.util.spec_from_file_location("audit", root / "scripts" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLEAN = {"name": "tornado", "version": "6.6", "vulns": []}
BAD = {"name": "rich", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "PyYAML", "skip_reason": "not found"}
OURS = {"name": "tchannel-core", "skip_reason": "not found"}


def test_an_audit_without_findings_is_one_in_which_all_were_looked_up(audit, capsys):
    assert audit.tell([CLEAN, OURS]) == 0
    assert "1 of 1 packages looked up, 0 findings" in capsys.readouterr().out


def test_a_finding_is_told_with_what_mends_it(audit, capsys):
    assert audit.tell([CLEAN, BAD, SKIPPED]) == 1
    assert "rich 1: PYSEC-1, mended in 2" in capsys.readouterr().out


def test_what_could_not_be_looked_up_is_a_failure_and_not_good_news(audit, capsys):
    assert audit.tell([CLEAN, SKIPPED]) == 2
    told = capsys.readouterr()
    assert "1 of 2 packages looked up" in told.out
    assert "NOT DONE for 1 packages" in told.err
