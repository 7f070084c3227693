"""Subscriptions and their streams: opening, reading, overflowing, sharing, and losing nothing at a hand-over."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import anyio
import pytest

from tests import script
from tests.peer import connected, text
from tests.script import assert_usable, error, hang_up, position, settle, stock, tick, value
from trio_ibtws import (
    Client,
    ConnectionLost,
    DecodeError,
    EndOfSnapshot,
    EventStream,
    InvalidRequest,
    Lagged,
    NoPermission,
    Overflow,
    Position,
    SlowConsumer,
)

pytestmark = pytest.mark.anyio


def values(events: list[Any]) -> list[Any]:
    return [event.value if hasattr(event, "value") else event for event in events]


def symbol(event: object) -> str:
    assert isinstance(event, Position)
    return str(event.contract.symbol)


# --- opening


async def test_nothing_is_sent_before_it_is_opened_and_the_cancel_after() -> None:
    async with connected() as (client, peer):
        subscription = client.mkt_data(stock("A"))
        await assert_usable(client, peer)
        async with subscription as ticks:
            words = await peer.receive()
            assert words[0] == script.MKT_DATA
            await peer.send(tick(words[2], "one"), tick(words[2], "two"))
            assert values([await ticks.receive(), await ticks.receive()]) == ["one", "two"]
            assert client.stats().open_requests == 1
        assert await peer.receive() == [script.CANCEL_MKT_DATA, "2", words[2]]
        assert client.stats().open_requests == 0
        await assert_usable(client, peer)


async def test_run_keeps_it_open_for_the_life_of_a_task_group() -> None:
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            ticks = await tasks.start(client.mkt_data(stock("A")).run)
            request_id = (await peer.receive())[2]
            await peer.send(tick(request_id, "one"))
            assert value(await ticks.receive()) == "one"
            tasks.cancel_scope.cancel()
        assert await peer.receive() == [script.CANCEL_MKT_DATA, "2", request_id]
        with pytest.raises(anyio.ClosedResourceError):
            await ticks.receive()


async def test_run_ends_quietly_when_its_stream_is_closed() -> None:
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            ticks = await tasks.start(client.mkt_data(stock("A")).run)
            request_id = (await peer.receive())[2]
            await ticks.aclose()
            await ticks.aclose()
        assert await peer.receive() == [script.CANCEL_MKT_DATA, "2", request_id]
        await assert_usable(client, peer)


async def test_run_ends_quietly_and_the_error_goes_to_who_receives() -> None:
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            ticks = await tasks.start(client.mkt_data(stock("A")).run)
            request_id = (await peer.receive())[2]
            await peer.send(tick(request_id, "last words"), error(request_id, 354, "not subscribed"))
        assert value(await ticks.receive()) == "last words"
        for _ in range(2):
            with pytest.raises(NoPermission):
                await ticks.receive()
        with pytest.raises(NoPermission):
            async for _ in ticks:
                raise AssertionError("there is nothing more")
        await ticks.aclose()
        with pytest.raises(anyio.ClosedResourceError):
            await ticks.receive()
        await assert_usable(client, peer)


async def test_run_after_a_slow_reader_ends_the_line_at_tws() -> None:
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            ticks = await tasks.start(client.mkt_data(stock("A"), buffer=1).run)
            request_id = (await peer.receive())[2]
            await peer.send(tick(request_id, "one"), tick(request_id, "two"))
        assert await peer.receive() == [script.CANCEL_MKT_DATA, "2", request_id]
        assert value(await ticks.receive()) == "one"
        with pytest.raises(SlowConsumer):
            await ticks.receive()


async def test_run_raises_what_opening_raises() -> None:
    async with connected() as (client, peer):
        with pytest.raises(ExceptionGroup) as caught:
            async with anyio.create_task_group() as tasks:
                await tasks.start(client.mkt_data(stock("A\0")).run)
        assert caught.group_contains(InvalidRequest)
        await assert_usable(client, peer)


async def test_it_is_opened_once() -> None:
    async with connected() as (client, peer):
        subscription = client.mkt_data(stock())
        async with subscription:
            with pytest.raises(RuntimeError, match="once"):
                async with subscription:
                    raise AssertionError("it cannot be opened twice")
        with pytest.raises(RuntimeError, match="once"):
            await subscription.run()
        await assert_usable(client, peer)


async def test_the_arguments_are_kept_as_they_were() -> None:
    async with connected() as (client, peer):
        contract = stock("BEFORE")
        subscription = client.mkt_data(contract)
        contract.symbol = "AFTER"
        async with subscription:
            words = await peer.receive()
            assert "BEFORE" in words
            assert "AFTER" not in words


async def test_opening_raises_what_is_wrong_with_the_arguments() -> None:
    async with connected() as (client, peer):
        for subscription, field in [
            (client.mkt_data(stock("A\0")), "contract.symbol"),
            (client.mkt_data(stock(), buffer=0), "buffer"),
            (client.mkt_data(stock(), overflow="panic"), "overflow"),  # type: ignore[arg-type]
            (client.positions_stream(overflow="conflate"), "overflow"),
        ]:
            with pytest.raises(InvalidRequest) as caught:
                async with subscription:
                    raise AssertionError("it cannot be opened")
            assert caught.value.field == field
        assert client.stats().open_requests == 0
        await assert_usable(client, peer)


async def test_cancelled_at_opening_sends_nothing_and_it_can_still_be_opened() -> None:
    async with connected() as (client, peer):
        subscription = client.mkt_data(stock())
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with subscription:
                raise AssertionError("it cannot be opened")
        await assert_usable(client, peer)
        async with subscription:
            assert (await peer.receive())[0] == script.MKT_DATA


# --- reading


async def opened(client: Client, peer: Any, count: int, **options: Any) -> tuple[EventStream[Any], str]:
    """Return a stream with *count* ticks in its buffer, and its request id."""
    stream = await client.mkt_data(stock(), **options).__aenter__()
    request_id = (await peer.receive())[2]
    await peer.send(*[tick(request_id, number) for number in range(count)])
    await settle()
    return stream, request_id


async def test_receive_nowait_and_batches() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 5)
        assert stream.statistics().current_buffer_used == 5
        assert stream.statistics().max_buffer_size == 1000
        assert value(stream.receive_nowait()) == "0"
        assert values(await stream.receive_batch(2)) == ["1", "2"]
        assert values(await stream.receive_batch()) == ["3", "4"]
        with pytest.raises(anyio.WouldBlock):
            stream.receive_nowait()
        with pytest.raises(ValueError, match="max_items"):
            await stream.receive_batch(0)
        async with anyio.create_task_group() as tasks:
            got: list[Any] = []

            async def read() -> None:
                got.extend(await stream.receive_batch())

            tasks.start_soon(read)
            await settle()
            assert not got
            await peer.send(tick(request_id, "a"), tick(request_id, "b"))
        assert values(got) == ["a", "b"]


async def test_async_for_ends_when_the_stream_is_closed_here() -> None:
    async with connected() as (client, peer):
        stream, _ = await opened(client, peer, 200)
        got = []
        async for event in stream:
            got.append(event)
            if len(got) == 150:
                await stream.aclose()
        assert len(got) == 150


async def test_closing_wakes_the_one_who_waits() -> None:
    async with connected() as (client, peer):
        stream, _ = await opened(client, peer, 0)
        async with anyio.create_task_group() as tasks:

            async def read() -> None:
                with pytest.raises(anyio.ClosedResourceError):
                    await stream.receive()

            tasks.start_soon(read)
            await settle()
            await stream.aclose()
        with pytest.raises(anyio.ClosedResourceError):
            stream.receive_nowait()
        with pytest.raises(anyio.ClosedResourceError):
            await stream.receive_batch()


async def test_two_tasks_on_one_stream() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 0)
        async with anyio.create_task_group() as tasks:
            got: list[Any] = []

            async def read() -> None:
                got.append(await stream.receive())

            tasks.start_soon(read)
            await settle()
            with pytest.raises(anyio.BusyResourceError):
                await stream.receive()
            with pytest.raises(anyio.BusyResourceError):
                stream.receive_nowait()
            with pytest.raises(anyio.BusyResourceError):
                await stream.receive_batch()
            await peer.send(tick(request_id, "for the first"))
        assert values(got) == ["for the first"]


async def test_a_reader_of_a_full_buffer_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It checkpoints now and then, and can be cancelled although it never waits."""
    monkeypatch.setattr("trio_ibtws._runtime._streams.TURN_SECONDS", 0.0)
    async with connected() as (client, peer):
        stream, _ = await opened(client, peer, 1000)
        count = 0
        with anyio.CancelScope() as scope:
            scope.cancel()
            async for _ in stream:
                count += 1
        assert count <= 64
        assert len(await stream.receive_batch()) == 1000 - count


async def test_notices_stand_beside_the_stream() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 0)
        for number in range(105):
            await peer.send(error(request_id, 10167, f"delayed {number}"))
        await peer.send(tick(request_id, "data"))
        assert value(await stream.receive()) == "data"
        assert len(stream.notices) == 100
        assert stream.notices[-1].message == "delayed 104"


async def test_an_event_that_cannot_be_decoded_ends_its_stream_only() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 1)
        await peer.send(text(46, 6, request_id, "no number", "x"))
        assert value(await stream.receive()) == "0"
        with pytest.raises(DecodeError):
            await stream.receive()


async def test_what_came_before_the_loss_is_still_read() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 2)
        await peer.send(tick(request_id, "last"))
        hang_up(peer)
        with pytest.raises(ConnectionLost):
            await client.wait_closed()
        assert values([await stream.receive() for _ in range(3)]) == ["0", "1", "last"]
        with pytest.raises(ConnectionLost):
            await stream.receive()


# --- overflow


async def test_overflow_raise_delivers_what_is_buffered_and_then_raises() -> None:
    async with connected() as (client, peer):
        async with client.mkt_data(stock(), buffer=3) as stream:
            request_id = (await peer.receive())[2]
            await peer.send(*[tick(request_id, number) for number in range(5)])
            await settle()
            assert values([await stream.receive() for _ in range(3)]) == ["0", "1", "2"]
            with pytest.raises(SlowConsumer, match="3 events"):
                await stream.receive()
            assert client.stats().events_dropped >= 1
        assert await peer.receive() == [script.CANCEL_MKT_DATA, "2", request_id]
        await assert_usable(client, peer)


async def test_overflow_drop_oldest_says_how_many() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 10, buffer=3, overflow="drop_oldest")
        assert stream.statistics().current_buffer_used >= 3
        got = await stream.receive_batch()
        assert got[0] == Lagged(7)
        assert values(got[1:]) == ["7", "8", "9"]
        await peer.send(tick(request_id, "next"))
        assert value(await stream.receive()) == "next"
        assert client.stats().events_dropped == 7


async def test_overflow_conflate_keeps_the_newest_of_each_kind() -> None:
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 10, buffer=3, overflow="conflate")
        await peer.send(text(45, 6, request_id, 49, 1.0), text(45, 6, request_id, 49, 0.0))
        await peer.send(tick(request_id, "newest"))
        await settle()
        assert values(await stream.receive_batch()) == ["newest", 0.0]


async def test_a_slow_stream_does_not_hold_up_another() -> None:
    async with connected() as (client, peer):
        slow, slow_id = await opened(client, peer, 0, buffer=1)
        fast, fast_id = await opened(client, peer, 0)
        for number in range(50):
            await peer.send(tick(slow_id, number), tick(fast_id, number))
        assert values([await fast.receive() for _ in range(50)]) == [str(number) for number in range(50)]
        assert value(await slow.receive()) == "0"


# --- sharing


async def test_a_shared_line_is_asked_for_once_and_cancelled_by_the_last() -> None:
    async with connected() as (client, peer):
        async with client.mkt_data(stock("A"), share=True) as first:
            request_id = (await peer.receive())[2]
            async with client.mkt_data(stock("A"), share=True, buffer=1) as second:
                async with client.mkt_data(stock("B"), share=True):
                    other = await peer.receive()
                    assert other[0] == script.MKT_DATA  # another contract is another line
                assert (await peer.receive())[0] == script.CANCEL_MKT_DATA
                await peer.send(tick(request_id, "one"), tick(request_id, "two"))
                assert values([await first.receive(), await first.receive()]) == ["one", "two"]
                assert value(await second.receive()) == "one"
                with pytest.raises(SlowConsumer):  # each reader has a buffer of his own
                    await second.receive()
                assert client.stats().open_requests == 1
            await peer.send(tick(request_id, "three"))
            assert value(await first.receive()) == "three"
            await assert_usable(client, peer)  # no cancel yet
        assert await peer.receive() == [script.CANCEL_MKT_DATA, "2", request_id]
        async with client.mkt_data(stock("A"), share=True):
            assert (await peer.receive())[2] != request_id
        assert (await peer.receive())[0] == script.CANCEL_MKT_DATA
        await assert_usable(client, peer)


async def test_without_share_each_has_his_own_line() -> None:
    async with connected() as (client, peer):
        async with client.mkt_data(stock("A")), client.mkt_data(stock("A"), share=True):
            ids = {(await peer.receive())[2] for _ in range(2)}
            assert len(ids) == 2


async def test_an_error_ends_a_shared_line_for_all() -> None:
    async with connected() as (client, peer):
        async with client.mkt_data(stock("A"), share=True) as first, client.mkt_data(stock("A"), share=True) as second:
            request_id = (await peer.receive())[2]
            await peer.send(error(request_id, 354, "not subscribed"))
            for stream in (first, second):
                with pytest.raises(NoPermission):
                    await stream.receive()
            async with client.mkt_data(stock("A"), share=True):  # a new line, not the dead one
                words = await peer.receive()
                assert words[0] == script.MKT_DATA
                assert words[2] != request_id
        assert (await peer.receive())[:1] == [script.CANCEL_MKT_DATA]
        await assert_usable(client, peer)


# --- the lines that TWS has once a connection


async def test_positions_are_a_line_that_several_share() -> None:
    async with connected() as (client, peer):
        async with client.positions_stream() as first:
            assert (await peer.receive())[0] == script.POSITIONS
            await peer.send(position("A"), script.POSITION_END, position("B"))
            got = [await first.receive() for _ in range(3)]
            assert [type(event) is EndOfSnapshot for event in got] == [False, True, False]
            async with client.positions_stream() as second:
                assert (await peer.receive())[0] == script.POSITIONS  # the snapshot again, for the second
                await peer.send(position("A"), position("B"), script.POSITION_END)
                assert [type(await second.receive()) is EndOfSnapshot for _ in range(3)] == [False, False, True]
            await assert_usable(client, peer)
        assert (await peer.receive())[0] == script.CANCEL_POSITIONS
        assert client.stats().open_requests == 0


async def test_a_query_does_not_end_the_stream_of_another_task() -> None:
    async with connected() as (client, peer), client.positions_stream() as stream:
        await peer.receive()
        await peer.send(script.POSITION_END)
        assert type(await stream.receive()) is EndOfSnapshot
        async with anyio.create_task_group() as tasks:
            rows: list[Any] = []

            async def query() -> None:
                rows.extend(await client.positions())

            tasks.start_soon(query)
            assert (await peer.receive())[0] == script.POSITIONS
            await peer.send(position("A"), script.POSITION_END)
        assert [row.contract.symbol for row in rows] == ["A"]
        await peer.send(position("B"))
        assert symbol(await stream.receive()) == "A"  # the snapshot came to the line, too
        assert symbol(await stream.receive()) == "B"
        await assert_usable(client, peer)


async def test_a_line_with_other_arguments_is_busy() -> None:
    async with connected() as (client, peer), client.account_updates_stream("DU1"):
        await peer.receive()
        with pytest.raises(anyio.BusyResourceError):
            async with client.account_updates_stream("DU2"):
                raise AssertionError("it cannot be opened")
        with pytest.raises(anyio.BusyResourceError):
            await client.account_updates("DU2")


async def test_news_bulletins_have_no_end_marker_and_hold_nobody_up() -> None:
    async with connected() as (client, peer):
        async with client.news_bulletins(True) as bulletins:
            assert (await peer.receive())[0] == "12"
            await peer.send(text(14, 1, 5, 1, "exchange is closed", "NYSE"))
            assert (await bulletins.receive()).news_message == "exchange is closed"
            with pytest.raises(anyio.BusyResourceError):
                async with client.news_bulletins(False):
                    raise AssertionError("it cannot be opened")
            async with client.news_bulletins(True) as others:  # the line is open already
                await peer.send(text(14, 1, 6, 1, "and open again", "NYSE"))
                for each in (bulletins, others):
                    assert (await each.receive()).news_message == "and open again"
        assert (await peer.receive())[0] == "13"
        await assert_usable(client, peer)


async def test_a_display_group_can_be_changed_through_its_stream() -> None:
    async with connected() as (client, peer):
        async with client.subscribe_to_group_events(1) as group:
            request_id = (await peer.receive())[2]
            await peer.send(text(68, 1, request_id, "8314@SMART"))
            assert await group.receive() == "8314@SMART"
            group.update("265598@SMART")
            assert await peer.receive() == ["69", "1", request_id, "265598@SMART"]
        assert await peer.receive() == ["70", "1", request_id]


# --- nothing is lost at a hand-over


@pytest.mark.parametrize("overflow", ["raise", "drop_oldest"])
async def test_an_event_that_arrives_while_the_reader_is_cancelled_stays(overflow: Overflow) -> None:
    """Cancelled in the same turn of the loop in which the event came, before the reader runs again."""
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 0, overflow=overflow)
        received: list[Any] = []
        for number in range(20):
            async with anyio.create_task_group() as tasks:

                async def read(tasks: anyio.abc.TaskGroup = tasks) -> None:
                    received.append(await stream.receive())

                tasks.start_soon(read)
                await settle()
                await peer.send(tick(request_id, number))
                for _ in range(number % 5):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            await settle()
            with suppress(anyio.WouldBlock):
                received.append(stream.receive_nowait())
        assert values(received) == [str(number) for number in range(20)]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_event_stays_when_the_reader_is_cancelled_natively() -> None:
    """asyncio's own cancel hits a task whose wake-up is already scheduled: there other channels lose the item."""
    async with connected() as (client, peer):
        stream, request_id = await opened(client, peer, 0)
        received: list[Any] = []
        for number in range(20):
            task = asyncio.create_task(stream.receive())
            await settle()
            await peer.send(tick(request_id, number))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            task.cancel()
            try:
                received.append(await task)
            except asyncio.CancelledError:
                received.append(await stream.receive())
        assert values(received) == [str(number) for number in range(20)]


async def test_who_is_cancelled_after_the_end_of_a_stream_hears_that_he_is_cancelled() -> None:
    """Also when nothing has to be waited for: or a loop that asks again and again could not be ended."""
    async with connected() as (client, peer), client.mkt_data(stock()) as ticks:
        hang_up(peer)
        with pytest.raises(ConnectionLost):
            await ticks.receive()
        for receive in (ticks.receive, ticks.receive_batch):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await receive()
            assert scope.cancelled_caught
