"""One busy stream starves nobody: how long the reader of the socket and the reader of a stream go on at once.

With clocks of their own that move when they are looked at; how late a timer really is stands in the benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.peer import TEXT, connected, text
from tests.sessions import ready_session
from trio_ibtws import SlowConsumer
from trio_ibtws._runtime import _connection, _session, _streams
from trio_ibtws._runtime._request import Request
from trio_ibtws._runtime._router import Line
from trio_ibtws._runtime._session import LOOK_EVERY, Session
from trio_ibtws._runtime._sinks import Buffer
from trio_ibtws.contracts import stock

MILLISECOND = 0.001


class Ticking:
    """A clock that goes on by a fixed time whenever somebody looks at it."""

    def __init__(self, step: float) -> None:
        self.now = perf_counter()
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def size(request_id: object, amount: object) -> bytes:
    """Return a tickSize message."""
    return text(2, 6, request_id, 8, amount, version=TEXT)


def number_of(event: Any) -> int:
    return int(event.size)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Give what sets how long the time between two looks at the clock is."""

    def tick(step: float) -> None:
        for module in (_session, _streams):
            monkeypatch.setattr(module, "perf_counter", Ticking(step))

    return tick


def session_with_line(buffer: Buffer) -> tuple[Session, int]:
    """Return a session on which one line is open whose events go to *buffer*."""
    session = ready_session()
    line = Line(
        Request(method="reqMktData", key="reqId", parameters=("reqId",)),
        session.router.new_request_id(),
        lambda line: session.outbox.append(b""),
        lambda line: None,
    )
    session.router.open(line, buffer)
    return session, line.request_id


# --- the reader of the socket ------------------------------------------------------------------------------------


def test_it_delivers_no_longer_than_its_turn_and_goes_on_where_it_stopped(clock: Callable[[float], None]) -> None:
    clock(MILLISECOND)
    buffer = Buffer(100_000)
    session, request_id = session_with_line(buffer)
    frames = [size(request_id, number) for number in range(2000)]
    session.receive_data(b"".join(frames))
    delivered: list[int] = []
    while session.deliver(2 * MILLISECOND):
        delivered.append(len(buffer) - sum(delivered))
    # it looks at the clock after so many bytes: the second look ends a turn
    most = 2 * (LOOK_EVERY // (min(map(len, frames)) - 4) + 1)
    assert len(delivered) > 5
    assert max(delivered) <= most
    assert [number_of(event) for event in buffer.pop_all()] == list(range(2000))
    assert session.stats().frames_in == 2000 + 3  # the handshake and the start-up


def test_one_long_frame_ends_a_turn(clock: Callable[[float], None]) -> None:
    """It counts bytes and not frames: an answer of thousands of bars is no tick."""
    clock(2 * MILLISECOND)
    buffer = Buffer(100)
    session, request_id = session_with_line(buffer)
    notice = text(4, 2, request_id, 10167, "x" * LOOK_EVERY, version=TEXT)
    session.receive_data(notice + size(request_id, 1))
    assert session.deliver(2 * MILLISECOND)
    assert len(buffer) == 0
    session.deliver(2 * MILLISECOND)
    assert len(buffer) == 1


def test_it_stops_for_a_reader_who_falls_behind_before_anything_is_lost(clock: Callable[[float], None]) -> None:
    clock(0.0)

    def crowd(buffer: Buffer) -> None:
        session.crowd(buffer)

    buffer = Buffer(10, crowded=crowd)
    session, request_id = session_with_line(buffer)
    session.receive_data(b"".join(size(request_id, number) for number in range(100)))
    got = []
    while session.deliver(2 * MILLISECOND):
        assert session.crowded is buffer
        assert 5 <= len(buffer) <= 6
        got += buffer.pop_all()
    assert [number_of(event) for event in got + buffer.pop_all()] == list(range(100))
    assert buffer.error is None


def test_nothing_is_delivered_after_the_end(clock: Callable[[float], None]) -> None:
    clock(0.0)
    buffer = Buffer(10)
    session, request_id = session_with_line(buffer)
    session.receive_data(size(request_id, 1))
    session.close()
    assert not session.deliver(2 * MILLISECOND)
    assert len(buffer) == 0


# --- the reader of a stream --------------------------------------------------------------------------------------


async def opened(client: Any, peer: Any, count: int, **options: Any) -> Any:
    """Return a stream in whose buffer so many events are."""
    stream = await client.mkt_data(stock("A"), **options).__aenter__()
    request_id = (await peer.receive())[2]
    await peer.send(*[size(request_id, number) for number in range(count)])
    await anyio.wait_all_tasks_blocked()
    return stream


async def turns_of_another_task(stream: Any, count: int) -> int:
    """Read *count* events, and return how often another task ran meanwhile."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        async for _ in stream:
            count -= 1
            if not count:
                break
        tasks.cancel_scope.cancel()
    return turns


@pytest.mark.anyio
async def test_a_stream_that_is_never_empty_lets_others_run(clock: Callable[[float], None]) -> None:
    async with connected() as (client, peer):
        stream = await opened(client, peer, 900, buffer=1000)
        clock(3 * MILLISECOND)  # each look finds that the turn is over; it looks after 64 events
        assert 900 // 64 - 3 <= await turns_of_another_task(stream, 900) <= 900 // 64 + 1


@pytest.mark.anyio
async def test_while_its_turn_lasts_it_costs_no_trip_through_the_scheduler(clock: Callable[[float], None]) -> None:
    async with connected() as (client, peer):
        stream = await opened(client, peer, 900, buffer=1000)
        clock(0.0)
        assert await turns_of_another_task(stream, 900) <= 2


@pytest.mark.anyio
async def test_every_batch_lets_others_run() -> None:
    async with connected() as (client, peer):
        stream = await opened(client, peer, 30)
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await checkpoint()
                turns += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other)
            for _ in range(30):
                await stream.receive_batch(1)
            tasks.cancel_scope.cancel()
        assert turns >= 26  # trio runs tasks of one turn in any order


# --- both together -----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_slow_reader_is_waited_for_as_long_as_he_reads() -> None:
    """Twenty times what his buffer holds comes at once, and he lets others run before each event."""
    async with connected() as (client, peer):
        async with client.mkt_data(stock("A"), buffer=10) as stream:
            request_id = (await peer.receive())[2]
            await peer.send(*[size(request_id, number) for number in range(200)])
            got = []
            async for event in stream:
                got.append(number_of(event))
                await checkpoint()
                if len(got) == 200:
                    break
        assert got == list(range(200))


@pytest.mark.anyio
async def test_who_does_not_read_is_not_waited_for_and_holds_nobody_up() -> None:
    async with connected() as (client, peer):
        async with (
            client.mkt_data(stock("A"), buffer=10) as unread,
            client.mkt_data(stock("B"), buffer=10) as read,
        ):
            idle, busy = (await peer.receive())[2], (await peer.receive())[2]
            await peer.send(*[size(each, number) for number in range(200) for each in (idle, busy)])
            got = []
            async for event in read:
                got.append(number_of(event))
                if len(got) == 200:
                    break
            assert got == list(range(200))
            with pytest.raises(SlowConsumer):
                async for _ in unread:
                    pass


def test_how_long_turns_are() -> None:
    """A task that sleeps 10 ms wakes within 20 ms: it waits for one turn of each of the two, and for what they run."""
    assert _connection.TURN_SECONDS + _streams.TURN_SECONDS <= 0.005
