"""Views of an account on the simulator: current, and honest about their age."""

from __future__ import annotations

import math
import sys
from decimal import Decimal
from types import ModuleType
from typing import Any

import anyio
import pytest

from tests.script import stock
from trio_ibtws import AccountState, ClientClosed, ConnectionLost, open_client
from trio_ibtws._runtime._tables import columns
from trio_ibtws._trading._views import Feed, View
from trio_ibtws.orders import limit_order, market_order
from trio_ibtws.simulator import open_simulator

pytestmark = pytest.mark.anyio


async def until(state: AccountState, true: Any) -> None:
    with anyio.fail_after(60):
        while not true():  # noqa: ASYNC110  the simulated market moves by the real clock
            await anyio.sleep(0.01)


async def test_views_follow_the_account() -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=3, trading=True, max_server_version=176) as client,
        client.orders(journal=False, recheck=0.0) as book,
    ):
        async with client.state() as state:
            await state.positions.ready()
            await state.account_values.ready()
            await until(state, lambda: len(state.pnl))
            assert len(state.positions) == 0
            assert {row.key for row in state.account_values} >= {"NetLiquidation"}
            assert 0 <= state.positions.age < 20
            assert state.positions.confirmed_at is not None
            resting = await book.place(stock(), limit_order("BUY", 1, 1.0))
            assert [row.order_id for row in state.open_orders] == [resting.order_id]
            trade = await book.place(stock(), market_order("BUY", 10))
            await trade.done()
            await until(state, lambda: len(state.positions) and len(state.portfolio))
            before = state.positions.snapshot()
            assert before[0].position == Decimal(10)
            assert [row.execution.orderId for row in state.executions] == [trade.order_id]
            assert [row.order_id for row in state.open_orders] == [resting.order_id]
            await resting.cancel()
            assert len(state.open_orders) == 0
            table = columns(state.positions)
            assert (table["symbol"], table["position"]) == (["AAPL"], [10.0])
            await state.refresh()
            assert len(state.executions) == 1
            selling = await book.place(stock(), market_order("SELL", 10))
            await selling.done()
            await until(state, lambda: not len(state.positions))
            assert before[0].position == Decimal(10)  # a snapshot stays what it was
        assert client.stats().open_requests == 0


async def test_the_end_of_the_session_is_said() -> None:
    async with open_simulator(port=None) as sim:
        async with (
            open_client(stream=await sim.connect(), client_id=3, max_server_version=176) as client,
            client.state() as state,
        ):
            sim.disconnect()
            with pytest.raises(ConnectionLost):
                await client.wait_closed()
            assert {type(view.error) for view in state.views} == {ConnectionLost}
            assert math.isfinite(state.open_orders.age)


async def test_a_view_that_never_came() -> None:
    view: View[str] = View(lambda row: row, takes=str)
    assert view.age == math.inf
    assert view.confirmed_at is None
    feed = Feed(view)
    feed.fail(ClientClosed("closed"))
    with pytest.raises(ClientClosed):
        await view.ready()


@pytest.mark.parametrize("library", ["pandas", "polars"])
async def test_tables_are_made_by_the_library_that_is_asked_for(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    view: View[str] = View(lambda row: row, takes=str)
    fake: Any = ModuleType(library)
    fake.DataFrame = lambda data, **options: (library, data)
    monkeypatch.setitem(sys.modules, library, fake)
    table: Any = getattr(view, f"to_{library}")()
    assert table == (library, {})
