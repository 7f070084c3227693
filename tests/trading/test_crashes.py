"""The process dies at any point of placing orders: a new one finds each order or reports it, and none is sent twice.

A fuse burns with every effect that the process has on the world, a commit of the journal or bytes to TWS, and cuts it
off from there on. Then a new process opens the same journal and runs the same strategy again, as a restarted program
does.
``TRIO_IBTWS_ORDER_RUNS=50`` tries fifty times as many points. A failure names its seed.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.script import stock
from tests.trading.dying import Dying, Fuse, arm
from tests.trading.oracle import assert_true
from tests.trading.tws import CLIENT_ID, Tws
from trio_ibtws import IBError, InvalidRequest, OrderBook, OrderLimits, Pacer, open_client
from trio_ibtws.orders import bracket, limit_order, market_order

pytestmark = pytest.mark.anyio

RUNS = int(os.environ.get("TRIO_IBTWS_ORDER_RUNS", "1"))
POINTS = 50 * RUNS
EFFECTS = 40

REFS = ["m", "l", "b1", "b2", "b3", "x", "late"]


async def strategy(book: OrderBook) -> None:
    """Place a few orders of every kind, each under a reference of its own."""
    await book.place(stock(), market_order("BUY", 5, orderRef="m"))
    trade = await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="l"))
    legs = bracket(limit_order("BUY", 3, 9.0), take_profit=11.0, stop_loss=8.0)
    for order, ref in zip(legs, ("b1", "b2", "b3"), strict=True):
        order.orderRef = ref
    await book.place_bracket(stock(), legs)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(book.place, stock(), limit_order("BUY", 1, 9.0, orderRef="x"))
        tasks.start_soon(change, trade)
    await book.place(stock(), market_order("SELL", 5, orderRef="late"))
    if not trade.record.over:
        await trade.cancel()


async def change(trade: Any) -> None:
    await trade.modify(totalQuantity=Decimal(12))


async def live(tws: Tws, path: Path, fuse: Fuse, rng: random.Random) -> None:
    """Run one process until its fuse is out, or the strategy is done."""
    async with anyio.create_task_group() as tasks:
        stream = Dying(tws.connect(tasks), fuse, rng)
        with fuse.scope:
            try:
                async with (
                    open_client(
                        stream=stream, client_id=CLIENT_ID, max_server_version=157, trading=True, pacer=Pacer(rate=None)
                    ) as client,
                    client.orders(
                        journal=path, recheck=0.0, answer_within=0.5, limits=OrderLimits(max_open_orders=None)
                    ) as book,
                ):
                    arm(book, fuse)
                    await strategy(book)
            except IBError:
                assert fuse.dead
        tasks.cancel_scope.cancel()
    await tws.cut()


@pytest.mark.parametrize("chunk", range(10))
async def test_a_crash_at_any_point(anyio_backend_name: str, chunk: int, tmp_path: Path) -> None:
    for number in range(POINTS // 10):
        seed = f"{anyio_backend_name} {chunk} {number}"
        print("seed", seed)
        rng = random.Random(seed)
        path = tmp_path / f"{number}.sqlite"
        tws = Tws(automatic=True)
        for _ in range(rng.choice([1, 1, 2])):
            await live(tws, path, Fuse(rng.randrange(EFFECTS)), rng)
            tws.rolled_back = rng.choice([0, 0, 4])
        await survive(tws, path, rng)


async def survive(tws: Tws, path: Path, rng: random.Random) -> None:
    """Begin again with the journal: look, then run the strategy once more; it must not place anything twice."""
    async with anyio.create_task_group() as tasks:
        async with (
            open_client(
                stream=tws.connect(tasks),
                client_id=CLIENT_ID,
                max_server_version=157,
                trading=True,
                pacer=Pacer(rate=None),
            ) as client,
            client.orders(journal=path, recheck=0.0, answer_within=5.0) as book,
        ):
            assert_true(book, tws, REFS)
            before = list(tws.sent_refs)
            reported = {trade.order_ref for trade in book.trades if trade.state == "NotFound"}
            with suppress(InvalidRequest):  # a part of a bracket is known: it is not placed again, nor is the rest
                await strategy(book)
            again = tws.sent_refs[len(before) :]
            assert not set(again) & (set(before) | reported), "what was sent or reported is not sent again"
            await book.reconcile()
            assert_true(book, tws, REFS)
        tasks.cancel_scope.cancel()
    await tws.cut()
