"""Connections in memory: bytes arrive whole and in order, slow readers hold senders up, ends are told apart."""

from __future__ import annotations

import anyio
import pytest
from anyio import BrokenResourceError, BusyResourceError, ClosedResourceError, EndOfStream

from trio_ibtws.simulator._memory import memory_connection

pytestmark = pytest.mark.anyio


async def test_both_directions() -> None:
    here, there = memory_connection()
    await here.send(b"abc")
    await there.send(b"xyz")
    assert await there.receive(2) == b"ab"
    assert await there.receive() == b"c"
    assert await here.receive() == b"xyz"


async def test_a_slow_reader_holds_the_sender_up() -> None:
    here, there = memory_connection()
    data = bytes(range(256)) * 1024
    got = bytearray()
    with anyio.move_on_after(0.05) as scope:
        await here.send(data)
    assert scope.cancelled_caught
    sent = len(await there.receive(1 << 20))
    assert sent == 1 << 16
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.send, data)
        while len(got) < len(data):
            got += await there.receive(5000)
    assert bytes(got) == data


async def test_what_was_sent_before_a_close_arrives() -> None:
    here, there = memory_connection()
    await here.send(b"last")
    await here.aclose()
    assert await there.receive() == b"last"
    for _ in range(2):
        with pytest.raises(EndOfStream):
            await there.receive()
    with pytest.raises(BrokenResourceError):
        await there.send(b"x")
    for call in (here.receive, lambda: here.send(b"x")):
        with pytest.raises(ClosedResourceError):
            await call()


async def test_half_a_close() -> None:
    here, there = memory_connection()
    await here.send_eof()
    with pytest.raises(EndOfStream):
        await there.receive()
    await there.send(b"still")
    assert await here.receive() == b"still"


async def test_an_abort_loses_what_was_not_read() -> None:
    here, there = memory_connection()
    await here.send(b"lost")
    here.abort()
    with pytest.raises(BrokenResourceError):
        await there.receive()
    with pytest.raises(BrokenResourceError):
        await there.send(b"x")


async def test_a_close_wakes_those_who_wait() -> None:
    for close, error in (("there", EndOfStream), ("here", ClosedResourceError)):
        here, there = memory_connection()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_expect, here.receive, error)
            await anyio.wait_all_tasks_blocked()
            await (there if close == "there" else here).aclose()


async def _expect(call: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        await call()  # type: ignore[operator]


async def test_one_reader_and_one_writer() -> None:
    here, there = memory_connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.receive)
        tasks.start_soon(here.send, bytes(1 << 17))
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(BusyResourceError):
            await here.receive()
        with pytest.raises(BusyResourceError):
            await here.send(b"x")
        tasks.cancel_scope.cancel()
    assert there is not here
