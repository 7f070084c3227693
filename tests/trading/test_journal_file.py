"""The file of a journal: what is taken out of it and what never is, other people's files, and damaged ones."""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.script import settle, stock
from tests.trading.test_book import doing, opened
from tests.trading.tws import Tws
from trio_ibtws import Accepted, InvalidRequest, JournalError
from trio_ibtws._runtime._framing import frame
from trio_ibtws._trading._journal import Journal
from trio_ibtws.orders import limit_order, market_order

pytestmark = pytest.mark.anyio


def execute(path: Path, *statements: str) -> list[Any]:
    """Do something to a journal by hand; return the last answer."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        return [list(database.execute(statement)) for statement in statements][-1]


def age(path: Path, days: int) -> None:
    execute(path, f"UPDATE orders SET written = datetime('now', '-{days} days')")


async def four_orders(tws: Tws, path: Path) -> None:
    """Leave a filled, a cancelled, an open order and one that never reached TWS."""
    async with opened(tws, journal=path) as (_, book):
        await (await book.place(stock(), market_order("BUY", 3, orderRef="filled"))).done()
        await (await book.place(stock(), limit_order("BUY", 1, 9.0, orderRef="cancelled"))).cancel()
        await book.place(stock(), limit_order("BUY", 1, 9.0, orderRef="open"))
        tws.automatic = False
        async with doing(lambda: book.place(stock(), market_order("BUY", 1, orderRef="lost"))):
            while not tws.requests:
                await anyio.lowlevel.checkpoint()
            await tws.cut()
        tws.automatic = True


# --- what is taken out


async def test_only_what_ended_by_tws_s_word_is_taken_out_and_its_number_stays_used(tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    tws.rolled_back = 4
    async with opened(tws, journal=path, keep_days=30) as (_, book):
        assert {trade.order_ref for trade in book.trades} == {"filled", "cancelled", "open", "lost"}
    assert len(execute(path, "SELECT ref FROM orders")) == 4
    age(path, 29)
    async with opened(tws, journal=path, keep_days=30):
        pass
    assert len(execute(path, "SELECT ref FROM orders")) == 4
    execute(path, "UPDATE orders SET order_id = order_id + 100 WHERE ref = 'cancelled'")
    age(path, 31)
    async with opened(tws, journal=path, keep_days=30) as (_, book):
        assert {ref: trade.state for ref, trade in book.by_ref.items()} == {"open": "Working", "lost": "NotFound"}
        placed = await book.place(stock(), limit_order("BUY", 1, 9.0, orderRef="new"))
        assert placed.order_id == 103
    assert execute(path, "SELECT ref FROM orders ORDER BY ref") == [("lost",), ("new",), ("open",)]
    assert execute(path, "SELECT count(*) FROM fills") == [(0,)]
    assert len(set(tws.sent_refs)) == len(tws.sent_refs)


async def test_nothing_is_taken_out_where_that_is_switched_off(tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    age(path, 10_000)
    async with opened(tws, journal=path, keep_days=None) as (_, book):
        again = await book.place(stock(), market_order("BUY", 3, orderRef="filled"))
        assert (again.state, int(again.filled_quantity)) == ("Filled", 3)


async def test_an_order_that_was_not_found_and_turns_up_later_is_the_same(tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    async with opened(tws, journal=path) as (_, book):
        assert book.by_ref["lost"].state == "NotFound"
    async with opened(tws, journal=path) as (_, book):
        trade = book.by_ref["lost"]
        request = {"orderId": trade.order_id, "contract": tws.orders["open"].contract, "order": {}}
        request["order"] = {**tws.orders["open"].values, "orderRef": "lost"}
        tws._place(request)
        await tws.deliver()
        await settle()
        assert (trade.state, len(book.trades)) == ("Working", 4)


# --- files that are no journal of ours


async def test_a_journal_of_the_first_form_is_brought_up_to_date(tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    columns = [f"ALTER TABLE fills DROP COLUMN {name}" for name in ("leg", "account")]
    execute(path, *columns, "PRAGMA user_version = 0", "PRAGMA application_id = 0")
    async with opened(tws, journal=path) as (_, book):
        assert book.by_ref["open"].state == "Working"
        again = await book.place(stock(), market_order("BUY", 3, orderRef="filled"))
        assert isinstance(again.outcome, Accepted)
        assert [(fill.leg, fill.account) for fill in again.fills] == [(False, "")]


BROKEN = {
    "a newer release": ["PRAGMA user_version = 3"],
    "another program": ["PRAGMA application_id = 1"],
    "another program ": ["DROP TABLE facts"],
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_file_that_is_not_for_us(what: str, tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    execute(path, *BROKEN[what])
    before = path.read_bytes()
    requests = len(tws.sent_refs)
    with pytest.raises(JournalError, match=f"{what.strip()}.*Nothing was sent"):
        await Journal(path).open(7)
    assert path.read_bytes() == before
    assert len(tws.sent_refs) == requests


@pytest.mark.parametrize("page", [1, 2, 3, 4])
async def test_a_damaged_file(page: int, tmp_path: Path) -> None:
    """One page of it is overwritten, as a bad disk does."""
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    with path.open("r+b") as file:
        file.seek(page * 4096 + 5)
        file.write(b"\xff" * 2000)
    with pytest.raises(JournalError, match="damaged"):
        await Journal(path).open(7)


@pytest.mark.parametrize("damage", ["contract = '{'", '"order" = \'{"totalQuantity": {"decimal": "x"}}\''])
async def test_a_row_that_cannot_be_read(damage: str, tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    await four_orders(tws, path)
    execute(path, f"UPDATE orders SET {damage} WHERE ref = 'open'")
    with pytest.raises(Exception) as caught:  # noqa: PT011  a group of it on the way out of the tests' own task group
        async with opened(tws, journal=path):
            pass
    assert "order 3 (open) cannot be read" in str(_innermost(caught.value))
    assert isinstance(_innermost(caught.value), JournalError)


async def test_a_row_that_cannot_be_read_keeps_no_news_from_the_others(tmp_path: Path) -> None:
    """It is found out while nobody asks: when TWS is connected to IB again."""
    tws, path = Tws(automatic=True), tmp_path / "j"
    async with opened(tws, journal=path) as (_, book):
        await book.place(stock(), market_order("BUY", 3, orderRef="over"))
        await settle()
        await book.place(stock(), limit_order("BUY", 5, 9.0, orderRef="open"))
    execute(path, "UPDATE orders SET contract = '{' WHERE ref = 'over'")
    over = tws.orders.pop("over")
    async with opened(tws, journal=path) as (client, book):
        tws.orders = {"over": over, **tws.orders}
        open_order = tws.orders["open"]
        tws.fill(open_order, Decimal(5))
        tws.outgoing.clear()  # it is in the lists only
        tws.error(-1, 1100, "lost")
        tws.error(-1, 1102, "restored")
        await tws.deliver()
        done = await book.by_ref["open"].done()
        assert (done.state, done.filled) == ("Filled", Decimal(5))
        with pytest.raises(JournalError, match="over"):
            await book.reconcile()
        assert client.accounts


@pytest.mark.skipif(os.name == "nt", reason="Windows takes no open file away")
async def test_a_file_that_is_taken_away_stops_orders(tmp_path: Path) -> None:
    """SQLite writes on to a file that nobody will find: after a crash the order would be placed again."""
    tws, path = Tws(automatic=True), tmp_path / "j"
    with pytest.raises(Exception) as caught:  # noqa: PT011  at the end: what could not be written
        async with opened(tws, journal=path) as (_, book):
            for each in tmp_path.iterdir():  # noqa: ASYNC240
                each.unlink()
            with pytest.raises(JournalError, match="taken away"):
                await book.place(stock(), limit_order("BUY", 1, 9.0))
            assert not tws.sent_refs
    assert isinstance(_innermost(caught.value), JournalError)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        [error] = error.exceptions
    return error


@pytest.mark.parametrize("value", [None, 5, 1.5])
async def test_a_journal_that_is_no_path(value: Any) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        async with opened(Tws(automatic=True), journal=value):
            pass
    error = _innermost(caught.value)
    assert isinstance(error, InvalidRequest)
    assert error.field == "journal"


async def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/proc/nowhere/j"), Path("/dev/full")):
        with pytest.raises(JournalError, match="cannot be opened"):
            await Journal(path).open(7)


async def test_only_its_owner_may_read_it_and_what_lies_beside_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with opened(Tws(automatic=True), journal=tmp_path / "new" / "j") as (_, book):
            await book.place(stock(), limit_order("BUY", 1, 9.0))
            assert {each.stat().st_mode & 0o777 for each in (tmp_path / "new").iterdir()} == {0o600}
            assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


# --- a full disk, and what TWS says that SQLite does not take


async def test_a_disk_that_is_full_stops_orders_and_is_said_at_the_end(tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "j"
    with pytest.raises(Exception) as caught:  # noqa: PT011
        async with opened(tws, journal=path) as (_, book):
            trade = await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="a"))
            journal: Any = book._desk.journal
            [[pages]] = journal._database.execute("PRAGMA page_count")
            journal._database.execute(f"PRAGMA max_page_count = {pages}")
            refusals = 0
            for number in range(200):
                try:
                    await book.place(stock(), limit_order("BUY", 1, 9.0, orderRef=f"n{number}"))
                except JournalError:
                    refusals += 1
                book.limits = type(book.limits)(max_open_orders=None, max_orders_per_minute=None)
            assert refusals
            assert set(tws.sent_refs) == {trade.order_ref, *(ref for ref in book.by_ref)}
            tws.fill(tws.orders["a"], Decimal(10))
            await tws.deliver()
            assert (await trade.done()).state == "Filled"
    error = _innermost(caught.value)
    assert isinstance(error, JournalError)
    assert "full" in str(error)
    async with opened(tws, journal=path) as (_, book):
        assert book.by_ref["a"].state == "Filled"


async def test_the_error_of_the_block_is_not_hidden_by_that_of_the_journal(tmp_path: Path) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        async with opened(Tws(automatic=True), journal=tmp_path / "j") as (_, book):
            journal: Any = book._desk.journal
            journal.note(("no statement", ()))
            raise ValueError("mine")
    assert str(_innermost(caught.value)) == "mine"


async def test_what_tws_says_can_always_be_written(tmp_path: Path) -> None:
    """A price that is no number, a text of broken bytes and a number without end do not stop the journal."""
    tws, path = Tws(automatic=True), tmp_path / "j"
    async with opened(tws, journal=path) as (_, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="a"))
        tws.orders["a"].perm_id = 2**70
        tws.fill(tws.orders["a"], Decimal(4), math.nan)
        tws.orders["a"].status = "Cancelled"
        tws.show(tws.orders["a"])
        await tws.deliver()
        await trade.done()
        other = await book.place(stock(), limit_order("BUY", 1, 9.0, orderRef="b"))
        tws.outgoing.append(frame(b"4\0002\0%d\000202\0bad \xff\xed\xb3\xbf text\0" % other.order_id))
        await tws.deliver()
        await other.done()
        assert isinstance((await book.place(stock(), market_order("BUY", 1, orderRef="c"))).outcome, Accepted)
    async with opened(tws, journal=path) as (_, book):
        again = await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="a"))
        assert math.isnan(again.fills[0].price)
        assert again.state == "Cancelled"
