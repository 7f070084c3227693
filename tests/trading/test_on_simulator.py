"""The order book against the shipped simulator: processes die and connections break, and nothing is lost or doubled.

As in ``test_crashes``, but TWS is the simulator with its exchange, its own ids and its faults, and what a book says is
held against what another client sees there. ``TRIO_IBTWS_ORDER_RUNS=50`` tries fifty times as many; a failure names
its seed.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from tests.script import stock
from tests.trading.dying import Dying, Fuse, arm
from trio_ibtws import (
    ConnectError,
    IBError,
    InvalidRequest,
    OrderBook,
    OrderLimits,
    Pacer,
    Simulator,
    open_client,
    open_simulator,
)
from trio_ibtws.orders import bracket, limit_order, market_order
from trio_ibtws.simulator import Limits, Scenario

pytestmark = pytest.mark.anyio

RUNS = int(os.environ.get("TRIO_IBTWS_ORDER_RUNS", "1"))
STORIES = 12 * RUNS
EFFECTS = 45
CLIENT, WITNESS = 7, 8
FAR_BELOW, FAR_ABOVE = 1.0, 100_000.0
FAULTS = [
    "die before openOrder reset",
    "die before orderStatus status=Filled",
    "die before execDetails reset",
    "die after execDetails",
    "die before commissionReport",
    "die after placeOrder reset",
    "die before cancelOrder",
    "drop orderStatus 2",
    "duplicate execDetails",
    "duplicate orderStatus 2",
    "swap execDetails",
    "roll back ids 4",
]


class Seen(NamedTuple):
    """What there is of an order at the exchange."""

    status: str
    executions: set[tuple[str, Decimal, float]]


async def strategy(book: OrderBook) -> None:
    """Place orders of every kind, each under a reference of its own; change one and cancel it."""
    await book.place(stock(), market_order("BUY", 5, orderRef="m"))
    trade = await book.place(stock(), limit_order("BUY", 10, FAR_BELOW, orderRef="l"))
    legs = bracket(market_order("BUY", 3), take_profit=FAR_ABOVE, stop_loss=FAR_BELOW)
    for order, ref in zip(legs, ("b1", "b2", "b3"), strict=True):
        order.orderRef = ref
    await book.place_bracket(stock(), legs)
    if not trade.record.over:
        await trade.modify(totalQuantity=Decimal(12))
    await book.place(stock(), market_order("SELL", 5, orderRef="late"))
    if not trade.record.over:
        await trade.cancel()


async def session(sim: Simulator, path: Path, fuse: Fuse, rng: random.Random) -> None:
    """Run one process until its fuse is out, its connection is lost, or the strategy is done."""
    stream = Dying(await sim.connect(), fuse, rng)
    with fuse.scope, suppress(IBError):  # what it was told is of no use to the next process: the book's state is
        async with (
            open_client(stream=stream, client_id=CLIENT, trading=True, pacer=Pacer(rate=None)) as client,
            client.orders(journal=path, recheck=0.0, answer_within=0.3, drain_within=0.1, limits=NO_LIMITS) as book,
        ):
            arm(book, fuse)
            await strategy(book)
    await anyio.aclose_forcefully(stream)


NO_LIMITS = OrderLimits(max_open_orders=None)


@pytest.mark.parametrize("story", range(STORIES))
async def test_what_dies_and_breaks_loses_no_order_and_sends_none_twice(
    anyio_backend_name: str, story: int, tmp_path: Path
) -> None:
    seed = f"{anyio_backend_name} {story}"
    print("seed", seed)
    rng = random.Random(seed)
    path = tmp_path / "journal"
    scenario = Scenario(speed=100.0, limits=Limits.off(), reset_at=None)
    async with open_simulator(port=None, seed=rng.randrange(1000), scenario=scenario) as sim:
        for _ in range(rng.choice([1, 1, 2, 3])):
            if rng.random() < 0.6:
                sim.run_script(rng.choice(FAULTS))
                fuse = Fuse(rng.choice([EFFECTS * 10, rng.randrange(EFFECTS)]))
            else:
                fuse = Fuse(rng.randrange(EFFECTS))
            await session(sim, path, fuse, rng)
            sim.faults.clear()
        await survive(sim, path)


async def survive(sim: Simulator, path: Path) -> None:
    """Begin again with the journal, look, and run the strategy once more."""
    stream = await sim.connect()
    async with (
        open_client(stream=stream, client_id=CLIENT, trading=True, pacer=Pacer(rate=None)) as client,
        client.orders(journal=path, recheck=0.0, answer_within=5.0, limits=NO_LIMITS) as book,
    ):
        before = sent(sim)
        reported = {trade.order_ref for trade in book.trades if trade.state == "NotFound"}
        with suppress(InvalidRequest):  # a part of a bracket is known: it is not placed again, nor is the rest
            await strategy(book)
        again = {ref: ids - before.get(ref, set()) for ref, ids in sent(sim).items()}
        assert not {ref for ref, ids in again.items() if ids} & (set(before) | reported)
        assert {len(ids) for ids in sent(sim).values()} <= {1}, "an order was sent twice"
        await settled(book)
        agree(book, await seen(sim))


async def settled(book: OrderBook) -> None:
    """Wait for the market orders, then look at TWS's lists once more."""
    with anyio.move_on_after(5):
        for trade in book.trades:
            if trade.record.order.orderType == "MKT" and not trade.record.over:
                await trade.done()
    await book.reconcile()


def sent(sim: Simulator) -> dict[str, set[int]]:
    """Return the order ids that were sent, by reference."""
    ids: dict[str, set[int]] = defaultdict(set)
    for request in sim.received:
        if request.name == "placeOrder":
            ids[request.values["order"]["orderRef"]].add(request.values["orderId"])
    return ids


async def seen(sim: Simulator) -> dict[str, Seen]:
    """Return what another client sees of the first one's orders."""
    async with open_client(stream=await sim.connect(), client_id=WITNESS) as client:
        found = {row.order.orderRef: Seen(row.order_state.status, set()) for row in await client.all_open_orders()}
        for row in await client.completed_orders(False):
            found[row.order.orderRef] = Seen(row.order_state.status, set())
        for details in await client.executions():
            it = details.execution
            found[it.orderRef].executions.add((it.execId, Decimal(it.shares), it.price))
    return found


STATES: dict[str, set[str]] = {
    "Working": {"PreSubmitted", "Submitted", "PendingSubmit"},
    "Filled": {"Filled"},
    "Cancelled": {"Cancelled", "ApiCancelled"},
    "Rejected": {"Inactive"},
}


def agree(book: OrderBook, there: dict[str, Seen]) -> None:
    trades: Any = book.by_ref
    for ref, order in there.items():
        assert ref in trades, f"{ref} is lost"
        trade = trades[ref]
        assert order.status in STATES.get(trade.state, ()), f"{ref} is {order.status}, the book says {trade.state}"
        got = {(fill.exec_id, fill.quantity, fill.price) for fill in trade.fills}
        assert got == order.executions, f"{ref}: {got} in the book, {order.executions} at TWS"
        assert len(trade.fills) == len(got), f"{ref}: a fill stands twice"
    for ref in set(trades) - set(there):
        assert trades[ref].state in ("NotFound", "NotSent"), f"{ref} never reached TWS: {trades[ref].state}"
        assert not trades[ref].fills


async def test_a_client_that_cannot_connect_again_at_once_finds_its_orders_later(tmp_path: Path) -> None:
    """The gateway restarts with an order at work; the next session has it, and cancels it."""
    scenario = Scenario(speed=100.0, reset_at=None)
    async with open_simulator(scenario=scenario) as sim:
        async with (
            open_client(sim.host, sim.port or 0, client_id=CLIENT, trading=True) as client,
            client.orders(journal=tmp_path / "journal") as book,
        ):
            placed = await book.place(stock(), limit_order("BUY", 1, FAR_BELOW, orderRef="x"))
            sim.faults.restart(30.0)
            with suppress(IBError):
                await client.wait_closed()
            with pytest.raises(ConnectError):
                async with open_client(sim.host, sim.port or 0, client_id=CLIENT):
                    pass
        found = await reopened(sim, tmp_path / "journal")
        assert found == (placed.perm_id, "CancelConfirmed")


async def reopened(sim: Simulator, path: Path) -> tuple[int, str]:
    """Connect when it can be done again, and cancel what is open."""
    with anyio.fail_after(20):
        while True:
            try:
                async with (
                    open_client(sim.host, sim.port or 0, client_id=CLIENT, trading=True) as client,
                    client.orders(journal=path) as book,
                ):
                    [trade] = book.open_trades
                    return trade.perm_id, type(await trade.cancel()).__name__
            except ConnectError:
                await anyio.sleep(0.02)
