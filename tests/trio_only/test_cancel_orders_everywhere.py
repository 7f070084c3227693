"""The order book and the account's state, cancelled at every step: what was sent is known, and the book stays right.

The steps of all tasks count, the simulator's too. After each the book is asked again, and what it says is what the
simulator has: a cancelled task never cancelled an order, placed one twice or lost one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
import trio
from trio.testing import MockClock

from tests.script import stock
from tests.steps import CancelAt, at_every_step
from trio_ibtws import Client, OrderBook, OrderLimits, Trade, open_client, open_simulator
from trio_ibtws.orders import bracket, limit_order, market_order
from trio_ibtws.simulator import Limits, Scenario, Simulator

pytestmark = pytest.mark.trio

FAR_BELOW, FAR_ABOVE = 1.0, 100_000.0
SCENARIO = Scenario(limits=Limits.off(), reset_at=None)
NO_LIMITS = OrderLimits(max_open_orders=None)

Victim = Callable[[OrderBook, Trade], Awaitable[object]]


async def place(book: OrderBook, _: Trade) -> None:
    await book.place(stock(), limit_order("BUY", 1, FAR_BELOW, orderRef="new"))


async def place_and_wait(book: OrderBook, _: Trade) -> None:
    trade = await book.place(stock(), market_order("BUY", 3, orderRef="new"))
    await trade.done()


async def place_bracket(book: OrderBook, _: Trade) -> None:
    await book.place_bracket(
        stock(), bracket(limit_order("BUY", 1, FAR_BELOW), take_profit=FAR_ABOVE, stop_loss=FAR_BELOW / 2)
    )


async def modify(_: OrderBook, trade: Trade) -> None:
    await trade.modify(totalQuantity=Decimal(7))


async def cancel(_: OrderBook, trade: Trade) -> None:
    await trade.cancel()


async def what_if(book: OrderBook, _: Trade) -> None:
    await book.what_if(stock(), market_order("BUY", 3))


async def reconcile(book: OrderBook, _: Trade) -> None:
    await book.reconcile()


async def kill(book: OrderBook, _: Trade) -> None:
    await book.kill()


async def follow(book: OrderBook, trade: Trade) -> None:
    async with book.events() as events:
        await trade.cancel()
        await events.receive()


VICTIMS: list[Victim] = [place, place_and_wait, place_bracket, modify, cancel, what_if, reconcile, kill, follow]


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.__name__)
async def test_the_book(
    victim: Victim, autojump_clock: MockClock, record_property: Callable[[str, object], None]
) -> None:
    async def trial(instrument: CancelAt) -> None:
        async with open_simulator(port=None, scenario=SCENARIO) as sim:
            async with (
                open_client(stream=await sim.connect(), client_id=1, trading=True) as client,
                client.orders(journal=False, limits=NO_LIMITS) as book,
            ):
                trade = await book.place(stock(), limit_order("BUY", 5, FAR_BELOW, orderRef="old"))
                await trio.testing.wait_all_tasks_blocked()
                await instrument.run(lambda: victim(book, trade))
                await trio.sleep(5)
                await agreed(book, client, sim, victim)

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 3


async def agreed(book: OrderBook, client: Client, sim: Simulator, victim: Victim) -> None:
    """The book is as TWS has it without being asked to look, and both can still be used."""
    placed = [request for request in sim.received if request.name == "placeOrder"]
    refs = {request.values["orderId"]: request.values["order"]["orderRef"] for request in placed}
    assert len(set(refs.values())) == len(refs), "an order was sent twice, under two ids"
    cancels = [request.name for request in sim.received if request.name in ("cancelOrder", "reqGlobalCancel")]
    assert len(cancels) <= (victim in (cancel, kill, follow))
    there = {row.order.orderRef: row.order for row in await client.all_open_orders()}
    known = {trade.order_ref: trade for trade in book.open_trades}
    assert set(there) == set(known)
    for ref, trade in known.items():
        assert trade.order.totalQuantity == there[ref].totalQuantity
    before = [trade.state for trade in book.trades]
    report = await book.reconcile()
    assert [trade.state for trade in book.trades] == before, report
    if book.halted is not None:
        await book.resume()
    after = await book.place(stock(), limit_order("BUY", 1, FAR_BELOW, orderRef="after"))
    assert after.state == "Working"


async def open_the_book(client: Client) -> None:
    async with client.orders(journal=False, limits=NO_LIMITS) as book:
        await book.place(stock(), limit_order("BUY", 1, FAR_BELOW))


async def open_the_state(client: Client) -> None:
    async with client.state() as state:
        assert state.positions.snapshot() == ()


@pytest.mark.parametrize("victim", [open_the_book, open_the_state], ids=lambda victim: victim.__name__)
async def test_opening(
    victim: Callable[[Client], Awaitable[None]],
    autojump_clock: MockClock,
    record_property: Callable[[str, object], None],
) -> None:
    """After it was cancelled anywhere, nothing of it is open, and it can be opened again."""

    async def trial(instrument: CancelAt) -> None:
        async with open_simulator(port=None, scenario=SCENARIO) as sim:
            async with open_client(stream=await sim.connect(), client_id=1, trading=True) as client:
                await trio.testing.wait_all_tasks_blocked()
                await instrument.run(lambda: victim(client))
                await trio.sleep(15)
                assert client.stats().open_requests == 0
                await victim(client)

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 5
