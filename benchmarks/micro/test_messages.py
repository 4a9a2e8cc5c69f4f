"""Messages from objects to bytes and back."""

from __future__ import annotations

from tchannel_wire.messages import CallResponse, Cancel, ErrorMessage, decode, encode


def test_a_call_request_is_encoded(benchmark, call_request, request_frame):
    assert benchmark(encode, call_request) == request_frame


def test_a_call_request_is_decoded(benchmark, call_request, request_frame):
    assert benchmark(decode, request_frame) == call_request


def test_a_call_response_is_made_and_encoded(benchmark, call_response, response_frame):
    def respond():
        return encode(
            CallResponse(
                id=1,
                code=0,
                tracing=call_response.tracing,
                headers=call_response.headers,
                checksum_type=call_response.checksum_type,
                chunks=call_response.chunks,
            )
        )

    assert benchmark(respond) == response_frame


def test_a_call_response_is_decoded(benchmark, call_response, response_frame):
    assert benchmark(decode, response_frame) == call_response


def test_an_error_is_decoded(benchmark):
    message = ErrorMessage(id=1, code=3, description="too many calls in flight")

    assert benchmark(decode, encode(message)) == message


def test_a_cancel_is_encoded(benchmark):
    message = Cancel(id=1, ttl_ms=1000, why="the caller went away")

    assert decode(benchmark(encode, message)) == message
