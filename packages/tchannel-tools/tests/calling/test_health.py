"""The answer to Meta::health, read without the Thrift layer."""

import pytest

from tchannel_tools._calling.calls import Answer
from tchannel_tools._calling.health import HEALTH, read_health
from tchannel_tools._terminal.failures import ToolError

OK = b"\x02\x00\x01\x01"
NOT_OK = b"\x02\x00\x01\x00"
MESSAGE = b"\x0b\x00\x02\x00\x00\x00\x04busy"
STATE = b"\x08\x00\x03\x00\x00\x00\x02"


def answer(fields, code=0):
    return Answer(code, b"\0\0", b"\x0c\x00\x00" + fields + b"\x00\x00", {})


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        (OK, (True, "")),
        (NOT_OK + MESSAGE, (False, "busy")),
        (STATE + MESSAGE + NOT_OK, (False, "busy")),
        (OK + MESSAGE + STATE, (True, "busy")),
    ],
)
def test_the_verdict_and_the_message_are_read_in_any_order(fields, verdict):
    assert read_health(answer(fields)) == verdict


def test_an_application_error_is_not_healthy():
    assert read_health(answer(OK, code=1)) == (False, "")


@pytest.mark.parametrize("arg3", [b"", b"\0", b"\x0c\x00\x00", b"{}", b"\x0c\x00\x00\x00\x00"])
def test_other_bytes_are_no_health_status(arg3):
    with pytest.raises(ToolError, match="no HealthStatus"):
        read_health(Answer(0, b"", arg3, {}))


def test_the_request_is_what_the_thrift_layer_sends():
    from tchannel_thrift import meta
    from tchannel_wire import encode_thrift_headers

    request = meta.Meta.health()

    assert encode_thrift_headers({}) == HEALTH.arg2
    assert request.endpoint == HEALTH.endpoint
    module = meta.meta._module
    assert module.dumps(module.Meta.health.request()) == HEALTH.arg3
    status = module.HealthStatus(ok=False, message="tired", state=module.HealthState.STOPPING)
    bytes_ = module.dumps(module.Meta.health.response(success=status))
    assert read_health(Answer(0, b"", bytes_, {})) == (False, "tired")
