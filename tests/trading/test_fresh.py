"""Views and books never pass off what is old as what is so: ends, outages, and news that crosses an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.peer import text
from tests.script import settle, stock
from tests.trading.test_book import doing, opened, placed
from tests.trading.test_whose import at_tws
from tests.trading.tws import CLIENT_ID, Tws
from trio_ibtws import (
    AccountState,
    Client,
    ClientClosed,
    ConnectionLost,
    OrderLimitExceeded,
    OrderLimits,
    open_client,
)
from trio_ibtws.orders import limit_order
from trio_ibtws.simulator import open_simulator

pytestmark = pytest.mark.anyio

LOST = text(4, 2, -1, 1100, "Connectivity between IBKR and Trader Workstation has been lost.")
BROKEN = text(4, 2, -1, 2110, "Connectivity between Trader Workstation and server is broken.")
RENEWED = text(4, 2, -1, 1101, "Connectivity between IBKR and Trader Workstation has been restored - data lost.")
RESTORED = text(4, 2, -1, 1102, "Connectivity between IBKR and Trader Workstation has been restored - data maintained.")
FARM = text(4, 2, -1, 2104, "Market data farm connection is OK:usfarm")


@asynccontextmanager
async def watched(tws: Tws) -> AsyncGenerator[tuple[Client, AccountState]]:
    async with anyio.create_task_group() as tasks:
        stream = tws.connect(tasks)
        async with (
            open_client(stream=stream, client_id=CLIENT_ID, max_server_version=157, trading=True) as client,
            client.state() as state,
        ):
            yield client, state
        await tws.cut()
        tasks.cancel_scope.cancel()


async def said(tws: Tws, *frames: bytes) -> None:
    """Have TWS say this, all of it at once."""
    tws.outgoing.extend(frames)
    assert tws._stream is not None
    together = b"".join(tws.outgoing)
    tws.outgoing.clear()
    await tws._send(tws._stream, together)
    await settle()


# --- views


async def test_news_that_crosses_the_answer_is_kept() -> None:
    """What comes right behind the end of a list is newer than the list."""
    tws = Tws()
    first, second = at_tws(tws, "first", order_id=1), at_tws(tws, "second", order_id=2)
    tws.fill(second, Decimal(2))
    tws.outgoing.clear()
    async with watched(tws) as (_, state):
        assert {row.order_id for row in state.open_orders} == {1, 2}
        listed, done = tws.open_orders, tws.executions

        def open_orders() -> list[bytes]:
            return [*listed(), text(53, 1), *crossing()]

        def crossing() -> list[bytes]:
            tws.cancel(first)
            third = at_tws(tws, "third", order_id=3)
            tws.show(third)
            news = [*tws.outgoing]
            tws.outgoing.clear()
            return news

        def executions(request: int) -> list[bytes]:
            answer = done(request)
            tws.correct(second, second.executions[0], 12.5)
            tws.fill(second, Decimal(1))
            news = [*tws.outgoing]
            tws.outgoing.clear()
            return [*answer, *news]

        tws.open_orders, tws.executions = open_orders, executions  # type: ignore[method-assign]
        await state.refresh()
        await settle()
        assert {row.order_id for row in state.open_orders} == {2, 3}
        assert sorted((row.execution.execId[-2:], row.execution.price) for row in state.executions) == [
            ("01", 10.0),
            ("02", 12.5),
        ]


async def test_an_order_that_is_gone_without_a_word_is_gone_after_a_refresh() -> None:
    tws = Tws()
    at_tws(tws, "first", client_id=99)
    async with watched(tws) as (_, state):
        assert len(state.open_orders) == 1
        tws.orders.clear()
        await state.refresh()
        assert len(state.open_orders) == 0


async def test_who_waits_for_a_change_after_the_end_is_told() -> None:
    tws = Tws()
    async with watched(tws) as (_, state):
        await tws.cut()
        await settle()
        for view in state.views:
            assert view.stale is not None
            with pytest.raises(ConnectionLost):
                await view.changed()
    for view in state.views:
        with pytest.raises((ConnectionLost, ClientClosed)):
            await view.changed()


async def test_profit_and_loss_is_ready_with_its_one_row() -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=3, max_server_version=176) as client,
        client.state() as state,
    ):
        with anyio.fail_after(20):
            await state.pnl.ready()
        assert len(state.pnl) == 1


async def test_without_a_connection_to_ib_every_view_says_so() -> None:
    tws = Tws()
    async with watched(tws) as (_, state):
        assert [view.stale for view in state.views] == [None] * 6
        await said(tws, LOST)
        assert all("1100" in str(view.stale) for view in state.views)
        await said(tws, FARM)
        assert all("1100" in str(view.stale) for view in state.views)
        await said(tws, RESTORED)
        told = [view for view in state.views if view.stale is None]
        assert told == [state.positions, state.portfolio, state.account_values, state.pnl]
        assert "refresh()" in str(state.executions.stale)
        await state.refresh()
        assert [view.stale for view in state.views] == [None] * 6
        await said(tws, BROKEN)
        assert all("2110" in str(view.stale) for view in state.views)
        await said(tws, FARM)
        assert state.positions.stale is None


# --- the book


@pytest.mark.parametrize("back", [RENEWED, RESTORED])
async def test_no_order_is_placed_or_changed_without_a_connection_to_ib(back: bytes) -> None:
    tws = Tws()
    async with opened(tws) as (client, book):
        trade = await placed(tws, book)
        await said(tws, LOST)
        sent = client.stats().bytes_out
        for attempt in (
            lambda: book.place(stock(), limit_order("BUY", 1, 9.0)),
            lambda: trade.modify(lmtPrice=9.0),
        ):
            with pytest.raises(OrderLimitExceeded, match="1100") as caught:
                await attempt()
            assert caught.value.limit == "while_disconnected"
        assert client.stats().bytes_out == sent
        await said(tws, back)
        async with doing(lambda: trade.modify(lmtPrice=9.0)) as changing:
            tws.read_request()
            await tws.deliver()
        assert type(changing.value).__name__ == "Modified"
        await said(tws, LOST)
        book.limits = OrderLimits(while_disconnected=True)
        await placed(tws, book)


async def test_what_happened_while_tws_was_not_connected_is_asked_for() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        other = await placed(tws, book)
        await said(tws, LOST)
        tws.fill(tws.orders[trade.order_ref], Decimal(10))
        tws.orders[other.order_ref].status = "Cancelled"
        tws.outgoing.clear()  # TWS never says it by itself
        await said(tws, RESTORED)
        with anyio.fail_after(5):
            done: Any = await trade.done()
            assert (done.state, int(done.filled)) == ("Filled", 10)
            assert (await other.done()).state == "Cancelled"


async def test_the_same_number_of_another_client_is_another_order() -> None:
    """Before TWS has given the orders permanent ids."""
    tws = Tws()
    async with opened(tws) as (client, book), client.state() as account:
        trade = await placed(tws, book)
        order = tws.orders[trade.order_ref]
        order.perm_id = 0
        tws.show(order)
        order.client_id, order.status = 9, "Cancelled"
        tws.outgoing.append(tws._status(order))
        await tws.deliver()
        await settle()
        assert [(row.order.permId, row.order.clientId) for row in account.open_orders] == [(900_001, 7), (0, 7)]
