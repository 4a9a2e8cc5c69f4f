"""The messages that the micro benchmarks take apart and put together."""

from __future__ import annotations

import pytest

from tchannel_wire.checksums import ChecksumType
from tchannel_wire.headers import encode_headers
from tchannel_wire.messages import CallRequest, CallResponse, encode

HEADERS = {"as": "raw", "cn": "client", "re": "c"}
SMALL = bytes(range(16))


@pytest.fixture
def call_request() -> CallRequest:
    """A small call request of one frame, as a client sends it."""
    return CallRequest(
        id=1,
        ttl_ms=30_000,
        tracing=bytes(range(25)),
        service="benchmark",
        headers=HEADERS,
        checksum_type=ChecksumType.CRC32C,
        chunks=[b"echo", b"", SMALL],
    )


@pytest.fixture
def call_response() -> CallResponse:
    """The answer to it."""
    return CallResponse(
        id=1,
        code=0,
        tracing=bytes(range(25)),
        headers={"as": "raw"},
        checksum_type=ChecksumType.CRC32C,
        chunks=[b"", b"", SMALL],
    )


@pytest.fixture
def request_frame(call_request: CallRequest) -> bytes:
    """The call request as it stands on the wire."""
    return encode(call_request)


@pytest.fixture
def response_frame(call_response: CallResponse) -> bytes:
    """The answer as it stands on the wire."""
    return encode(call_response)


@pytest.fixture
def header_block() -> bytes:
    """The transport headers of a call, encoded."""
    return encode_headers(HEADERS)
