"""Framing: whatever way the network cuts the bytes, the same frames come out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_ibtws import FrameTooLarge
from trio_ibtws._runtime._framing import MAX_FRAME, FrameBuffer, frame

bodies = st.lists(st.binary(max_size=40), max_size=12)


def frames_of(buffer: FrameBuffer) -> list[bytes]:
    found = []
    while (body := buffer.next_frame()) is not None:
        found.append(body)
    return found


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_a_frame_is_its_length_in_network_order_and_its_body() -> None:
    assert frame(b"abc") == b"\0\0\0\x03abc"
    assert frame(b"") == b"\0\0\0\0"


@settings(deadline=None)
@given(bodies, st.lists(st.integers(min_value=0), max_size=20))
def test_any_split_gives_the_same_frames(expected: list[bytes], cuts: list[int]) -> None:
    buffer = FrameBuffer()
    got: list[bytes] = []
    for piece in pieces(b"".join(map(frame, expected)), cuts):
        buffer.receive_data(piece)
        got += frames_of(buffer)
    assert got == expected
    assert len(buffer) == 0
    assert buffer.peek() == b""


@settings(deadline=None)
@given(bodies, st.binary(max_size=3))
def test_byte_by_byte_and_at_once_with_a_part_of_the_next(expected: list[bytes], rest: bytes) -> None:
    data = b"".join(map(frame, expected)) + rest
    slow, fast = FrameBuffer(), FrameBuffer()
    got = []
    for position in range(len(data)):
        slow.receive_data(data[position : position + 1])
        got += frames_of(slow)
    fast.receive_data(data)
    assert got == frames_of(fast) == expected
    assert len(slow) == len(fast) == len(rest)
    assert slow.peek() == fast.peek() == rest


def test_a_frame_comes_with_its_last_byte_and_not_before() -> None:
    data = frame(b"x" * 10)
    buffer = FrameBuffer()
    for position in range(len(data) - 1):
        buffer.receive_data(data[position : position + 1])
        assert buffer.next_frame() is None
    buffer.receive_data(data[-1:])
    assert buffer.next_frame() == b"x" * 10
    assert buffer.next_frame() is None


def test_a_burst_longer_than_what_is_compacted_at_once() -> None:
    expected = [b"%06d" % number * 100 for number in range(600)]
    data = b"".join(map(frame, expected))
    buffer = FrameBuffer()
    got = []
    for start in range(0, len(data), 4096):
        buffer.receive_data(data[start : start + 4096])
        if start % 3 == 0:
            got += frames_of(buffer)
    got += frames_of(buffer)
    assert got == expected


def test_a_backlog_that_is_read_by_halves_is_compacted_in_between() -> None:
    buffer = FrameBuffer()
    buffer.receive_data(frame(b"a" * 70_000) + frame(b"b" * 70_000))
    assert buffer.next_frame() == b"a" * 70_000
    buffer.receive_data(frame(b"c"))  # drops the first 70 000 bytes, and must not lose the second
    assert frames_of(buffer) == [b"b" * 70_000, b"c"]


@given(st.integers(min_value=0, max_value=300))
def test_the_limit_itself_passes_and_one_more_does_not(limit: int) -> None:
    buffer = FrameBuffer(limit)
    buffer.receive_data(frame(b"x" * limit))
    assert buffer.next_frame() == b"x" * limit
    buffer.receive_data((limit + 1).to_bytes(4, "big"))
    with pytest.raises(FrameTooLarge) as caught:
        buffer.next_frame()
    assert (caught.value.length, caught.value.limit) == (limit + 1, limit)


@given(st.integers(min_value=0, max_value=300))
def test_the_limit_holds_for_a_frame_that_is_whole_and_for_one_that_is_only_announced(limit: int) -> None:
    whole, announced = FrameBuffer(limit), FrameBuffer(limit)
    whole.receive_data(frame(b"before") + frame(b"x" * (limit + 1)))
    announced.receive_data(frame(b"before")[: limit + 4] + limit.to_bytes(4, "big"))
    if limit >= len(b"before"):
        assert whole.next_frame() == announced.next_frame() == b"before"
    with pytest.raises(FrameTooLarge):
        whole.next_frame()
    if limit >= len(b"before"):
        assert announced.next_frame() is None
        announced.receive_data(b"y" * limit)
        assert announced.next_frame() == b"y" * limit


@pytest.mark.parametrize("announced", [MAX_FRAME + 1, 2**30, 2**32 - 1, int.from_bytes(b"HTTP", "big")])
def test_a_long_frame_is_refused_at_the_fourth_byte_of_its_header(announced: int) -> None:
    buffer = FrameBuffer()
    for byte in announced.to_bytes(4, "big")[:3]:
        buffer.receive_data(bytes([byte]))
        assert buffer.next_frame() is None
    buffer.receive_data(announced.to_bytes(4, "big")[3:])
    with pytest.raises(FrameTooLarge, match=str(announced)):
        buffer.next_frame()
    assert buffer.peek() == announced.to_bytes(4, "big")


def test_the_longest_frame_that_ibapi_takes_is_taken() -> None:
    buffer = FrameBuffer()
    buffer.receive_data(frame(b"x" * MAX_FRAME))
    assert len(buffer.next_frame() or b"") == MAX_FRAME


def test_peek_shows_the_beginning_of_what_is_unread() -> None:
    buffer = FrameBuffer()
    buffer.receive_data(frame(b"gone") + b"HTTP/1.1 400 Bad Request" * 10)
    assert buffer.next_frame() == b"gone"
    assert buffer.peek() == (b"HTTP/1.1 400 Bad Request" * 10)[:80]


def test_a_backlog_of_more_frames_than_are_cut_at_once_comes_out_whole() -> None:
    bodies = [b"%d" % number for number in range(5000)]
    frames = FrameBuffer()
    frames.receive_data(b"".join(map(frame, bodies)))
    assert [frames.next_frame() for _ in bodies] == bodies
    assert frames.next_frame() is None
    assert len(frames) == 0
