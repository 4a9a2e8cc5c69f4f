"""What to try when a call failed."""

import pytest

from tchannel import errors
from tchannel_tools._calling.advice import explain
from tchannel_tools._calling.calls import Target
from tchannel_tools._terminal.failures import CallFailed

TARGET = Target("svc", ("127.0.0.1:1",), "me", 5.0)


def told(code, description, *, sent=True, target=TARGET):
    error = errors.TChannelError.from_code(code, description, 7 if sent else None)
    return explain(CallFailed(error, sent=sent), target, "127.0.0.1:1", "raw")


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        (4, "no peer available for request", "nobody advertises 'svc' with the router 127.0.0.1:1"),
        (6, "Server expected a 'json' but request is 'raw'", "try --json instead of raw"),
        (6, "Server expected a 'json' or 'http' but request is 'raw'", "try --json instead of raw"),
        (6, "Expected call request as header to be thrift", "try a Thrift endpoint"),
        (6, "Endpoint 'x' is not defined", "--list shows"),
        (6, 'no such endpoint service="a" endpoint="b"', "--list shows"),
        (6, "unknown service svc", "serves another service"),
        (1, "no answer", "--timeout gives it more than 5 s"),
        (3, "full", "try again, or another peer"),
        (7, "ECONNREFUSED", "the router did not reach the service"),
    ],
)
def test_what_the_peer_said_is_told_with_what_to_try(code, said, advice):
    line = told(code, said)

    assert said in line
    assert advice in line


def test_an_error_that_nobody_can_mend_is_told_alone():
    assert told(5, "TypeError: oops") == "unexpected: TypeError: oops"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", "nothing listens there"),
        ("[Errno -2] Name or service not known", "no such host"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "--ca, --server-name"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "is it a port for TLS?"),
        ("[Errno 2] No such file or directory", "no such socket"),
        ("closed by peer", "is a TChannel service listening there"),
    ],
)
def test_a_connection_that_fails_is_told_with_what_to_try(said, advice):
    line = told(7, f"cannot connect to 127.0.0.1:1: {said}", sent=False)

    assert line.startswith("cannot connect to 127.0.0.1:1: ")
    assert advice in line


def test_the_routing_delegate_is_the_name_that_nobody_advertises():
    target = Target("svc", ("127.0.0.1:1",), "me", 5.0, routing_delegate="other")

    assert "nobody advertises 'other'" in told(4, "no peer available", target=target)
