"""JSON that would become far more memory than it has bytes is refused before it is decoded."""

import json
import time

import pytest

from tchannel import errors
from tchannel.schemes.json import check_json_size

MIB = 1024 * 1024


@pytest.mark.parametrize("element", [b"[],", b"{},", b"[[]],", b'{"":{}},', b"[{}],"])
def test_a_few_bytes_repeated_a_million_times_are_refused(element):
    data = b"[" + element * (4 * MIB // len(element)) + b"0]"
    with pytest.raises(ValueError, match=r"bytes of objects, \d+ are allowed"):
        check_json_size(data)


@pytest.mark.parametrize(
    "value",
    [
        [{"a": 1}] * 1_000_000,
        list(range(1_000_000)),
        [[1, 2]] * 500_000,
        [{"id": 123, "name": "abc"}] * 500_000,
        ["[" * 1_000] * 10_000,
        ['{"nested":"json, [as] \\"text\\""}'] * 200_000,
        {str(n): [] for n in range(300_000)},
        [1] * 3_000_000,
        [[]] * 500_000,
    ],
    ids=lambda value: json.dumps(value)[:20],
)
def test_what_honest_callers_send_is_not(value):
    check_json_size(json.dumps(value, separators=(",", ":")).encode())


def test_no_more_than_half_a_gibibyte_is_decoded_from_one_message():
    check_json_size(b"[" + b"[0]," * (4 * MIB) + b"0]")
    with pytest.raises(ValueError, match="536870912 are allowed"):
        check_json_size(b"[" + b"[0]," * (6 * MIB) + b"0]")


def test_to_look_costs_little_memory_and_time():
    data = b"[" + b"[]," * (5 * MIB) + b"0]"
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy does not count memory")
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(ValueError, match="allowed"):
            check_json_size(data)
        taken = time.process_time() - started
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data)
    finally:
        tracemalloc.stop()
    assert taken < 5


async def test_a_request_of_that_kind_is_a_bad_request_and_its_handler_does_not_run(joined, settle):
    ran = []
    joined.server.json.register("work", ran.append)
    body = b"[" + b"[]," * (4 * MIB // 3) + b"0]"
    call = joined.client.call(
        scheme="json",
        service="server",
        arg1="work",
        arg2=b"{}",
        arg3=body,
        hostport="127.0.0.1:1",
        timeout=60,
    )
    for _ in range(20):
        await settle()
    with pytest.raises(errors.BadRequestError, match="bytes of objects"):
        await call
    assert ran == []


async def test_an_answer_of_that_kind_is_a_read_error(joined):
    body = b"[" + b"[]," * (4 * MIB // 3) + b"0]"
    with pytest.raises(errors.ReadError, match="bytes of objects"):
        joined.client.json._decode_response(0, b"{}", body, {})
