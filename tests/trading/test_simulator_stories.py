"""The order book against the shipped simulator: processes die and connections break, and nothing is lost or doubled.

As in ``test_crashes``, but TWS is the simulator with its exchange, its own ids and its faults, in virtual time, and
what a book says is held against what another client sees there. ``TRIO_IBTWS_CRASH_POINTS=10000`` tries so many; a
failure names its seed, and ``TRIO_IBTWS_STORY="trio 3 17"`` plays that one alone.
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
from tests.trading.virtual import Time, backend
from trio_ibtws import (
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

CHUNKS = 10
POINTS = max(int(os.environ.get("TRIO_IBTWS_CRASH_POINTS", "80")) // (2 * CHUNKS), 1)
"""How many times processes die in a chunk of one backend."""
STORY = os.environ.get("TRIO_IBTWS_STORY")
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


async def strategy(book: OrderBook, size: int) -> None:
    """Place orders of every kind, each under a reference of its own; change one and cancel it."""
    await book.place(stock(), market_order("BUY", size, orderRef="m"))
    trade = await book.place(stock(), limit_order("BUY", 10, FAR_BELOW, orderRef="l"))
    legs = bracket(market_order("BUY", 3), take_profit=FAR_ABOVE, stop_loss=FAR_BELOW)
    for order, ref in zip(legs, ("b1", "b2", "b3"), strict=True):
        order.orderRef = ref
    await book.place_bracket(stock(), legs)
    if not trade.record.over:
        await trade.modify(totalQuantity=Decimal(12))
    await book.place(stock(), market_order("SELL", size, orderRef="late"))
    if not trade.record.over:
        await trade.cancel()


async def session(sim: Simulator, path: Path, size: int, fuse: Fuse, rng: random.Random) -> bool:
    """Run one process until its fuse is out, its connection is lost, or it is done; return whether it died."""
    stream = Dying(await sim.connect(), fuse, rng)
    alive = False
    with fuse.scope, suppress(IBError):  # what it was told is of no use to the next process: the book's state is
        async with (
            open_client(stream=stream, client_id=CLIENT, trading=True, pacer=Pacer(rate=None)) as client,
            client.orders(journal=path, recheck=2.0, answer_within=3.0, drain_within=1.0, limits=NO_LIMITS) as book,
        ):
            arm(book, fuse)
            await strategy(book, size)
            with anyio.move_on_after(0):
                await client.wait_closed()  # raises if the connection was lost
            alive = not fuse.dead
    await anyio.aclose_forcefully(stream)
    return not alive


NO_LIMITS = OrderLimits(max_open_orders=None)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest, time: Time) -> Any:
    return backend(request.param, time)


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_what_dies_and_breaks_loses_no_order_and_sends_none_twice(
    anyio_backend_name: str, chunk: int, time: Time, tmp_path: Path
) -> None:
    await time.watch()
    deaths = stories = 0
    while deaths < POINTS:
        seed = f"{anyio_backend_name} {chunk} {stories}"
        stories += 1
        if STORY is None or seed == STORY:
            print("seed", seed)
            deaths += await story(random.Random(seed), tmp_path / str(stories))
        if STORY is not None and (seed == STORY or stories > 100_000):
            break
    print(f"{deaths} deaths in {stories} stories: no order lost, none sent twice, every fill its own, once")


async def story(rng: random.Random, path: Path) -> int:
    """Tell one; return how often a process died or its connection broke."""
    deaths, size = 0, rng.choice([5, 900])  # 900 come in parts
    scenario = Scenario(limits=Limits.off(), reset_at=None, cash=Decimal(10_000_000))
    async with open_simulator(port=None, seed=rng.randrange(1000), scenario=scenario) as sim:
        for _ in range(rng.choice([1, 1, 2, 3])):
            if rng.random() < 0.6:
                sim.run_script(rng.choice(FAULTS))
                fuse = Fuse(rng.choice([EFFECTS * 10, rng.randrange(EFFECTS)]))
            else:
                fuse = Fuse(rng.randrange(EFFECTS))
            deaths += await session(sim, path, size, fuse, rng)
            sim.faults.clear()
        await survive(sim, path, size)
    return deaths


async def survive(sim: Simulator, path: Path, size: int) -> None:
    """Begin again with the journal, look, and run the strategy once more."""
    stream = await sim.connect()
    async with (
        open_client(stream=stream, client_id=CLIENT, trading=True, pacer=Pacer(rate=None)) as client,
        client.orders(journal=path, recheck=2.0, answer_within=30.0, limits=NO_LIMITS) as book,
    ):
        before = sent(sim)
        reported = {trade.order_ref for trade in book.trades if trade.state == "NotFound"}
        with suppress(InvalidRequest):  # a part of a bracket is known: it is not placed again, nor is the rest
            await strategy(book, size)
        again = {ref: ids - before.get(ref, set()) for ref, ids in sent(sim).items()}
        assert not {ref for ref, ids in again.items() if ids} & (set(before) | reported)
        assert {len(ids) for ids in sent(sim).values()} <= {1}, "an order was sent twice"
        await settled(book)
        agree(book, await seen(sim))


async def settled(book: OrderBook) -> None:
    """Wait for the market orders, then look at TWS's lists once more."""
    with anyio.move_on_after(60):
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
