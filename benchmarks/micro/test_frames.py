"""Cutting a stream into frames; divide by the frames in the read for the cost of one."""

from __future__ import annotations

import pytest

from tchannel_wire.frames import Frame, FrameBuffer


@pytest.mark.parametrize("frames", [1, 32])
def test_frames_of_one_read_are_split(benchmark, request_frame, frames):
    buffer = FrameBuffer()
    data = request_frame * frames

    assert benchmark(buffer.split, data) == [request_frame] * frames


def test_a_frame_that_comes_in_two_reads_is_joined(benchmark, request_frame):
    buffer = FrameBuffer()
    first, second = request_frame[:20], request_frame[20:]

    def split():
        buffer.split(first)
        return buffer.split(second)

    assert benchmark(split) == [request_frame]


def test_a_frame_object_is_decoded(benchmark, request_frame):
    assert benchmark(Frame.decode, request_frame).encode() == request_frame
