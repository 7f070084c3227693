"""What the journal keeps, and what happens when it cannot."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.script import stock
from tests.trading.test_book import doing, opened
from tests.trading.tws import Tws
from trio_ibtws import Accepted, Client, JournalError, OrderBook, open_client
from trio_ibtws._trading._journal import Journal
from trio_ibtws._trading._journal_rows import default_path, described, fingerprint, restored
from trio_ibtws.orders import limit_order, market_order, price_condition, with_conditions
from trio_ibtws.simulator import Simulator, open_simulator

pytestmark = pytest.mark.anyio


def rows(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.execute("SELECT ref, order_id, state FROM orders ORDER BY order_id"))


async def test_an_order_is_in_the_journal_before_it_is_sent(tmp_path: Path) -> None:
    tws = Tws()
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        journal: Any = book._desk.journal
        commit, seen = journal._commit, []

        def committed(batch: Any) -> None:
            seen.append(len(tws.requests))
            commit(batch)

        journal._commit = committed
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="a"))) as placing:
            while not tws.requests:
                await anyio.lowlevel.checkpoint()
            assert seen == [0]
            tws.read_request()
            await tws.deliver()
        assert isinstance(placing.value.outcome, Accepted)
    assert rows(tmp_path / "j") == [("a", 1, "Working")]


async def test_a_new_session_knows_the_orders_of_the_old_one(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    path = tmp_path / "deep" / "j"
    async with opened(tws, journal=path) as (_, book):
        await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="open"))
        filled = await book.place(stock(), market_order("BUY", 3, orderRef="filled"))
        await filled.done()
    tws.rolled_back = 2
    async with opened(tws, journal=path) as (_, book):
        assert [(trade.order_ref, trade.state) for trade in book.open_trades] == [("open", "Working")]
        again = await book.place(stock(), market_order("BUY", 3, orderRef="filled"))
        assert again.state == "Filled"
        assert again.filled_quantity == Decimal(3)
        assert isinstance(again.outcome, Accepted)
        assert tws.sent_refs == ["open", "filled"]
        new = await book.place(stock(), market_order("BUY", 1, orderRef="new"))
        assert new.order_id == 3  # although TWS said that 1 is free
    assert not tws.violations


async def test_fills_outlive_the_day(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="a"))
        tws.fill(tws.orders["a"], Decimal(4))
        await tws.deliver()
        while not trade.fills:
            await trade.changed()
    kept, tws.orders["a"].executions = tws.orders["a"].executions, []
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        [fill] = book.by_ref["a"].fills
        assert (fill.exec_id, int(fill.quantity)) == (kept[0].exec_id, 4)


async def test_what_happens_while_the_journal_is_read_makes_no_second_trade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="a"))
    read = Journal.fills

    async def slowly(self: Journal, ref: str) -> Any:
        tws.fill(tws.orders["a"], Decimal(10))
        await tws.deliver()
        await anyio.wait_all_tasks_blocked()
        return await read(self, ref)

    monkeypatch.setattr(Journal, "fills", slowly)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        [trade] = book.trades
        assert trade.state == "Filled"
        assert trade.filled_quantity == Decimal(10)


async def test_a_journal_belongs_to_one_book(tmp_path: Path) -> None:
    async with opened(Tws(automatic=True), journal=tmp_path / "j"):
        with pytest.raises(JournalError, match="Is another program using it"):
            await Journal(tmp_path / "j").open(7)


async def test_an_order_that_cannot_be_written_down_is_not_sent(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        journal: Any = book._desk.journal
        commit = journal._commit

        def full(batch: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        journal._commit = full
        with pytest.raises(JournalError, match="full"):
            await book.place(stock(), market_order("BUY", 1, orderRef="a"))
        assert tws.sent_refs == []
        assert book.trades == ()
        journal._commit = commit
        await book.place(stock(), market_order("BUY", 1, orderRef="a"))
    assert rows(tmp_path / "j") == [("a", 1, "Filled")]


async def test_a_journal_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(JournalError, match="cannot be opened"):
        await Journal(tmp_path / "file" / "j").open(1)
    (tmp_path / "garbage").write_bytes(b"no database" * 1000)
    with pytest.raises(JournalError, match="cannot be opened"):
        await Journal(tmp_path / "garbage").open(1)


async def test_cancelled_before_it_was_sent_leaves_nothing(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await book.place(stock(), market_order("BUY", 1, orderRef="a"))
        async with book._dealer.sending, anyio.create_task_group() as tasks:
            tasks.start_soon(book.place, stock(), market_order("BUY", 1, orderRef="b"))
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert book.trades == ()
    assert rows(tmp_path / "j") == []
    assert tws.sent_refs == []


async def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_path("DU1/../x", 7) == tmp_path / "trio_ibtws" / "orders-DU1x-7.sqlite"
    async with opened(Tws(automatic=True), journal=True):
        path = default_path("DU1", 7)
        assert path.exists()
        assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Application Support" in str(default_path("DU1", 7))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_path("DU1", 7).parent == tmp_path / "local" / "trio_ibtws"


def test_what_is_written_can_be_read() -> None:
    order = with_conditions(limit_order("BUY", "0.5", 9.25, tif="GTC"), price_condition(1, "SMART", above=5.0))  # type: ignore[arg-type]
    back = restored(type(order), described(order))
    assert (back.action, back.totalQuantity, back.lmtPrice, back.tif) == ("BUY", Decimal("0.5"), 9.25, "GTC")
    assert "PriceCondition" in described(order)
    other = with_conditions(limit_order("BUY", "0.5", 9.25, tif="GTC"), price_condition(1, "SMART", above=6.0))  # type: ignore[arg-type]
    assert fingerprint(stock(), order) != fingerprint(stock(), other)


# --- kill -9 -----------------------------------------------------------------------------------------------------

_PROGRAM = """
import sys
import anyio
from trio_ibtws import open_client
from trio_ibtws.orders import limit_order, market_order
from ibapi.contract import Contract

async def main():
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    async with open_client("127.0.0.1", int(sys.argv[1]), client_id=9, trading=True, max_server_version=176) as client:
        async with client.orders(journal=sys.argv[2], recheck=0.0) as book:
            print("ready", flush=True)
            for number in range(200):
                make = market_order if number % 2 else limit_order
                price = () if number % 2 else (round(1 + number / 100, 2),)
                book.limits = type(book.limits)(max_open_orders=None, max_orders_per_minute=None)
                await book.place(contract, make("BUY", 1, *price, orderRef=f"n{number}"))

anyio.run(main, backend=sys.argv[3])
"""


def orders_at(sim: Simulator) -> dict[str, str]:
    """Return the orders that reached TWS, by reference, with their type."""
    placed = [each.values for each in sim.received if each.name == "placeOrder"]
    assert len({values["order"]["orderRef"] for values in placed}) == len(placed), "an order was sent twice"
    assert len({values["orderId"] for values in placed}) == len(placed), "an order id was used twice"
    return {values["order"]["orderRef"]: values["order"]["orderType"] for values in placed}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
@pytest.mark.parametrize("delay", [0.0, 0.11, 0.37])
async def test_kill_9(anyio_backend_name: str, delay: float, tmp_path: Path) -> None:
    path = tmp_path / "j"
    async with open_simulator() as sim:
        command = [sys.executable, "-c", _PROGRAM, str(sim.port), str(path), anyio_backend_name]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = await anyio.open_process(command, stdout=subprocess.PIPE, stderr=None, env=environment)
        assert process.stdout is not None
        assert b"ready" in await process.stdout.receive()
        await anyio.sleep(delay)  # a real process, which has no other clock
        process.kill()
        await process.wait()
        await process.aclose()
        while 9 in sim.clients:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        written = {ref for ref, _, _ in rows(path)}
        at_tws = orders_at(sim)
        assert set(at_tws) <= written
        async with open_client(sim.host, sim.port or 0, client_id=9, trading=True, max_server_version=176) as client:
            await look(client, path, at_tws, written)
        assert orders_at(sim).keys() == at_tws.keys()


async def look(client: Client, path: Path, at_tws: dict[str, str], written: set[str]) -> None:
    async with client.orders(journal=path, recheck=0.1) as book:
        assert_found(book, at_tws, written)


def assert_found(book: OrderBook, at_tws: dict[str, str], written: set[str]) -> None:
    trades = book.by_ref
    for ref, order_type in at_tws.items():
        if order_type == "LMT":
            assert trades[ref].state == "Working"
        else:  # one that the journal knows to be over is not brought back
            assert ref not in trades or trades[ref].state in ("Working", "Filled")
    for ref in written - set(at_tws):
        assert trades[ref].state == "NotFound"
