"""Exit codes, and what is printed for a call that failed."""

import pytest

from tchannel import errors
from tchannel_tools._terminal.failures import CallFailed, ExitCode, one_line


@pytest.mark.parametrize("code", range(1, 9))
def test_an_error_frame_ends_with_its_code(code):
    failed = CallFailed(errors.TChannelError.from_code(code, "no", 7), sent=True)

    assert failed.exit_code == code
    assert failed.document()["errorCode"] == code
    assert failed.document()["isErrorFrame"] is True


def test_a_fatal_error_ends_with_127():
    failed = CallFailed(errors.FatalProtocolError("no", 7), sent=True)

    assert failed.exit_code == ExitCode.FATAL == 127


def test_a_call_that_was_never_sent_ends_with_125():
    for error in (errors.NetworkError("no"), errors.TimeoutError("no")):
        assert CallFailed(error, sent=False).exit_code == ExitCode.TOOL == 125


def test_a_code_that_nobody_defined_ends_with_125():
    assert CallFailed(errors.TChannelError.from_code(0x42, "no", 7), sent=True).exit_code == 125


def test_the_document_has_the_names_of_the_node_tool():
    assert CallFailed(errors.TimeoutError("too slow"), sent=True).document() == {
        "ok": False,
        "name": "TchannelTimeoutError",
        "message": "too slow",
        "isError": True,
        "isErrorFrame": False,
        "errorCode": 1,
        "type": "tchannel.timeout",
        "fullType": "tchannel.timeout",
    }


def test_text_of_others_is_one_line_that_no_terminal_obeys():
    assert one_line("a\n b\x1b[31m\tc") == "a b�[31m c"
