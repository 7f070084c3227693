"""Orders from the client's side: sent once, never cancelled by leaving, and no event of any is lost."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests import script
from tests.peer import connected, text
from tests.script import assert_usable, error, fill, hang_up, limit_order, order_status, settle, stock
from trio_ibtws import (
    ClientClosed,
    CommissionAndFeesReport,
    ConnectionLost,
    ExecDetails,
    InvalidRequest,
    OrderRejected,
    OrderStatus,
    SlowConsumer,
    TradingDisabled,
)
from trio_ibtws._runtime import _orders

pytestmark = pytest.mark.anyio


# --- placing


async def test_an_order_is_sent_once_and_tells_its_id() -> None:
    async with connected(trading=True) as (client, peer):
        order = limit_order()
        subscription = client.place_order(stock(), order)
        order.lmtPrice = 99.0  # too late: the order was taken as it was
        await assert_usable(client, peer)
        async with subscription as events:
            words = await peer.receive()
            assert words[:2] == [script.PLACE_ORDER, "1"]
            assert "10.0" in words
            assert "99.0" not in words
            assert (events.order_id, client.next_order_id) == (1, 2)
            await peer.send(order_status(1, "Submitted"), order_status(2, "Filled"), order_status(1, "Filled"))
            got = [await events.receive(), await events.receive()]
            assert [event.status for event in got if isinstance(event, OrderStatus)] == ["Submitted", "Filled"]
        assert order.orderId == 0
        await assert_usable(client, peer)  # leaving sent nothing
        with pytest.raises(RuntimeError, match="once"):
            await subscription.run()
        await assert_usable(client, peer)


async def test_ids_go_up_and_follow_what_tws_says() -> None:
    async with connected(trading=True) as (client, peer):
        ids = []
        for _ in range(2):
            async with client.place_order(stock(), limit_order()) as events:
                ids.append(events.order_id)
        await peer.send(order_status(40))
        await settle()
        async with client.place_order(stock(), limit_order()) as events:
            ids.append(events.order_id)
        await peer.send(peer.next_valid_id(7))  # never back
        await settle()
        async with client.place_order(stock(), limit_order()) as events:
            ids.append(events.order_id)
        assert ids == [1, 2, 41, 42]
        assert [(await peer.receive())[1] for _ in ids] == ["1", "2", "41", "42"]


async def test_a_known_order_is_modified() -> None:
    async with connected(trading=True) as (client, peer), client.place_order(stock(), limit_order()) as first:
        async with client.place_order(stock(), limit_order(first.order_id)) as second:
            assert [(await peer.receive())[:2] for _ in range(2)] == [[script.PLACE_ORDER, "1"]] * 2
            assert second.order_id == 1
            assert client.next_order_id == 2
            await peer.send(order_status(1))
            assert (await first.receive()) == (await second.receive())
            await peer.send(error(1, 201, "Order rejected"))
            with pytest.raises(OrderRejected):  # what was sent last was refused, the order lives on
                await second.receive()
            await peer.send(order_status(1, "Filled"))
            assert isinstance(await first.receive(), OrderStatus)


async def test_an_order_of_ours_from_an_earlier_session_can_be_modified() -> None:
    """TWS told of it: openOrder and orderStatus name our client id."""
    async with connected(trading=True) as (client, peer):
        await peer.send(order_status(33), order_status(34, client_id=5))
        await settle()
        async with client.place_order(stock(), limit_order(33)) as events:
            assert (events.order_id, (await peer.receive())[1]) == (33, "33")
        with pytest.raises(InvalidRequest):
            async with client.place_order(stock(), limit_order(34)):  # another client's
                raise AssertionError("it cannot be sent")


@pytest.mark.parametrize("order_id", [2, 77, -1, 1_500_000_000])
async def test_an_unknown_order_id_is_refused(order_id: int) -> None:
    async with connected(trading=True) as (client, peer):
        before = client.stats()
        with pytest.raises(InvalidRequest) as caught:
            async with client.place_order(stock(), limit_order(order_id)):
                raise AssertionError("it cannot be sent")
        assert caught.value.field == "order_id"
        assert client.stats() == before
        await assert_usable(client, peer)


async def test_an_order_that_cannot_be_encoded_uses_no_id() -> None:
    async with connected(trading=True) as (client, peer):
        with pytest.raises(InvalidRequest):
            async with client.place_order(stock("A\0"), limit_order()):
                raise AssertionError("it cannot be sent")
        assert client.next_order_id == 1
        await assert_usable(client, peer)


async def test_without_trading_nothing_is_written() -> None:
    async with connected() as (client, peer):
        before = client.stats()
        with pytest.raises(TradingDisabled, match="trading=True"):
            async with client.place_order(stock(), limit_order()):
                raise AssertionError("it cannot be sent")
        with pytest.raises(TradingDisabled):
            client.cancel_order(1)
        with pytest.raises(TradingDisabled):
            client.global_cancel()
        with pytest.raises(TradingDisabled):
            async with client.exercise_options(stock(), 1, 1, "DU1", 0, "", "", False):
                raise AssertionError("it cannot be sent")
        with pytest.raises(TradingDisabled):
            await client.mkt_data_regulatory_snapshot(stock())
        await settle()
        assert client.stats() == before
        await assert_usable(client, peer)


# --- leaving and cancelling


async def test_cancelling_the_task_never_cancels_the_order() -> None:
    async with connected(trading=True) as (client, peer):
        with anyio.CancelScope() as scope:
            async with client.place_order(stock(), limit_order()) as events:
                scope.cancel()
                await events.receive()
        assert (await peer.receive())[0] == script.PLACE_ORDER
        await assert_usable(client, peer)


async def test_an_order_that_is_unwritten_when_its_block_is_left_is_sent_all_the_same() -> None:
    """Cancelled is not the same as not placed: what was opened goes out."""
    async with connected(trading=True) as (client, peer):
        async with client.place_order(stock(), limit_order()):
            assert client.stats().unsent_frames == 1
        assert (await peer.receive())[0] == script.PLACE_ORDER


async def test_cancelled_before_it_was_opened_sends_nothing() -> None:
    async with connected(trading=True) as (client, peer):
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with client.place_order(stock(), limit_order()):
                raise AssertionError("it cannot be sent")
        assert client.next_order_id == 1
        await assert_usable(client, peer)


async def test_an_order_under_a_task_group() -> None:
    async with connected(trading=True) as (client, peer):
        async with anyio.create_task_group() as tasks:
            events = await tasks.start(client.place_order(stock(), limit_order()).run)
            assert events.order_id == 1
            tasks.cancel_scope.cancel()
        assert (await peer.receive())[0] == script.PLACE_ORDER
        await assert_usable(client, peer)


# --- rejections and remarks


async def test_a_rejection_is_raised_by_receive() -> None:
    async with connected(trading=True) as (client, peer):
        async with client.place_order(stock(), limit_order()) as events:
            await peer.receive()
            await peer.send(order_status(1, "PendingSubmit"), error(1, 201, "Order rejected - reason:margin"))
            assert isinstance(await events.receive(), OrderStatus)
            with pytest.raises(OrderRejected, match="margin") as caught:
                await events.receive()
            assert caught.value.code == 201
        await assert_usable(client, peer)


@pytest.mark.parametrize("code", [202, 399, 404, 161, 10147, 10148, 10349, 2100])
async def test_a_remark_does_not_end_the_order(code: int) -> None:
    async with connected(trading=True) as (client, peer), client.place_order(stock(), limit_order()) as events:
        await peer.receive()
        await peer.send(error(1, code, "a remark"), order_status(1, "Cancelled"))
        event = await events.receive()
        assert isinstance(event, OrderStatus)
        assert event.status == "Cancelled"
        assert [notice.code for notice in events.notices] == [code]


# --- cancelling orders


async def test_cancel_order_and_global_cancel() -> None:
    async with connected(trading=True) as (client, peer):
        client.cancel_order(5)
        assert (await peer.receive())[:3] == [script.CANCEL_ORDER, "1", "5"]
        client.global_cancel()
        assert (await peer.receive())[0] == script.GLOBAL_CANCEL


async def test_a_cancel_goes_before_data_requests_but_never_before_an_order() -> None:
    async with connected(trading=True) as (client, peer), anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(client.contract_details, stock())
        await settle()
        for _ in range(5):
            await peer.receive()
        subscriptions = [client.mkt_data(stock(name)) for name in "ABC"]
        for subscription in subscriptions:
            await subscription.__aenter__()
        # From here to the next await nothing is written.
        client.set_server_log_level(1)
        client.set_server_log_level(2)
        orders = _Unopened(client)
        orders.place()
        client.set_server_log_level(3)
        client.cancel_order(1)
        client.global_cancel()
        orders.place()
        kinds: list[str] = []
        while len(kinds) < 7 or kinds.count(script.LOG_LEVEL) < 3:
            kinds.append((await peer.receive())[0])
        sent = [kind for kind in kinds if kind != script.MKT_DATA]
        assert sent == [
            script.PLACE_ORDER,
            script.CANCEL_ORDER,
            script.GLOBAL_CANCEL,
            script.PLACE_ORDER,
            script.LOG_LEVEL,
            script.LOG_LEVEL,
            script.LOG_LEVEL,
        ]
        tasks.cancel_scope.cancel()


class _Unopened:
    """Places orders by what opening does after its checkpoint, so that several are queued in one step."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def place(self) -> None:
        subscription = self._client.place_order(stock(), limit_order())
        subscription._given_away()  # which is not forgotten: it is opened here
        opened = subscription._opened
        assert opened is not None
        opened()


# --- everything about orders


def names(events: list[Any]) -> list[str]:
    return [event.execution.execId for event in events if isinstance(event, ExecDetails)]


async def test_the_backlog_from_before_anyone_asked() -> None:
    async with connected() as (client, peer):
        await peer.send(fill("a"), order_status(9, client_id=3), fill("b"))
        await settle()
        async with client.order_events() as events:
            await peer.send(fill("c"))
            got = [await events.receive() for _ in range(4)]
        assert names(got) == ["a", "b", "c"]
        assert isinstance(got[1], OrderStatus)


async def test_a_second_reader_is_refused_and_nothing_is_lost_between_readers() -> None:
    async with connected() as (client, peer):
        await peer.send(fill("a"), fill("b"))
        async with client.order_events() as events:
            assert names([await events.receive()]) == ["a"]
            for _ in range(2):
                with pytest.raises(anyio.BusyResourceError):
                    async with client.order_events():
                        raise AssertionError("it has a reader")
        await peer.send(fill("c"))
        await settle()
        async with client.order_events() as events:
            assert names([await events.receive(), await events.receive()]) == ["b", "c"]


async def test_a_reader_who_is_cancelled_leaves_it_to_the_next() -> None:
    async with connected() as (client, peer):
        with anyio.CancelScope() as scope:
            async with client.order_events() as events:
                scope.cancel()
                await events.receive()
        await peer.send(fill("a"))
        async with client.order_events() as events:
            assert names([await events.receive()]) == ["a"]


async def test_it_can_be_read_after_the_connection_was_lost() -> None:
    async with connected() as (client, peer):
        await peer.send(fill("a"), fill("b"))
        hang_up(peer)
        with pytest.raises(ConnectionLost):
            await client.wait_closed()
        async with client.order_events() as events:
            assert names([await events.receive()]) == ["a"]
        async with client.order_events() as events:
            assert names([await events.receive()]) == ["b"]
            with pytest.raises(ConnectionLost):
                await events.receive()


async def test_it_can_be_read_after_the_block() -> None:
    async with connected() as (client, peer):
        await peer.send(fill("a"))
        await settle()
    async with client.order_events() as events:
        assert names([await events.receive()]) == ["a"]
        with pytest.raises(ClientClosed):
            await events.receive()


async def test_too_many_unread_fail_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_orders, "ORDER_BUFFER", 3)
    async with connected() as (client, peer):
        await peer.send(*[fill(f"e{number}") for number in range(4)])
        await settle()
        async with client.order_events() as events:
            assert names([await events.receive() for _ in range(3)]) == ["e0", "e1", "e2"]
            with pytest.raises(SlowConsumer):
                await events.receive()
        await peer.send(fill("later"))
        await settle()
        async with client.order_events() as events:  # it starts anew
            await peer.send(fill("anew"))
            assert names([await events.receive()]) == ["anew"]


async def test_too_many_unread_and_then_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes next is told that there is no session; he does not wait for ever."""
    monkeypatch.setattr(_orders, "ORDER_BUFFER", 1)
    async with connected() as (client, peer):
        await peer.send(fill("a"), fill("b"))
        hang_up(peer)
        with pytest.raises(ConnectionLost):
            await client.wait_closed()
        async with client.order_events() as events:
            await events.receive()
            with pytest.raises(SlowConsumer):
                await events.receive()
        async with client.order_events() as events:
            with pytest.raises(ConnectionLost):
                await events.receive()


async def test_fills_and_their_reports_reach_the_order_and_everyone() -> None:
    async with connected(trading=True) as (client, peer):
        async with client.place_order(stock(), limit_order()) as order, client.order_events() as events:
            await peer.receive()
            await peer.send(fill("mine", 1, 0), fill("theirs", 1, 8), text(59, 1, "mine", 1.5, "USD", "", "", ""))
            of_order = [await order.receive() for _ in range(2)]
            of_all = [await events.receive() for _ in range(3)]
            assert names(of_order) == ["mine"]
            assert names(of_all) == ["mine", "theirs"]
            assert isinstance(of_order[1], CommissionAndFeesReport)
            assert of_order[1].commission_and_fees == 1.5


async def test_a_query_of_executions_does_not_fill_the_events() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        rows: list[Any] = []

        async def query() -> None:
            rows.extend(await client.executions())

        tasks.start_soon(query)
        request_id = (await peer.receive())[2]
        await peer.send(fill("old", request_id=int(request_id)), text(59, 1, "old", 2.5, "USD", "", "", ""))
        await peer.send(text(55, 1, request_id), fill("live"))
        async with client.order_events() as events:
            assert names([await events.receive()]) == ["live"]
            await settle()
        [row] = rows
        assert (row.execution.execId, row.commission_and_fees.commission_and_fees) == ("old", 2.5)


async def test_exercising_options_is_an_order() -> None:
    async with connected(trading=True) as (client, peer):
        async with client.exercise_options(stock(), 1, 1, "DU1", 0, "", "", False) as events:
            words = await peer.receive()
            assert (words[0], words[2], events.order_id) == ("21", "1", 1)
            await peer.send(order_status(1, "Submitted"))
            assert isinstance(await events.receive(), OrderStatus)
        await assert_usable(client, peer)
