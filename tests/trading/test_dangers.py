"""Small ways to lose money that a book has to close, each by name."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.script import settle, stock
from tests.trading.test_book import Later, doing, opened, placed
from tests.trading.tws import Tws
from trio_ibtws import (
    ConnectionLost,
    Finished,
    InternalError,
    LocalError,
    Modified,
    ModifyRefused,
    Rejected,
    TradingHalted,
    open_client,
)
from trio_ibtws._runtime._bridge import Bridge
from trio_ibtws.contracts import stock as contract_of
from trio_ibtws.orders import bracket, combo, leg, limit_order, market_order
from trio_ibtws.simulator import open_simulator

pytestmark = pytest.mark.anyio


# --- changes


async def test_a_leg_of_a_bracket_that_is_changed_is_transmitted() -> None:
    """A parent is placed with transmit=False; its change must not wait in TWS for somebody to press a button."""
    tws = Tws()
    async with opened(tws) as (_, book):
        legs = bracket(limit_order("BUY", 10, 9.5), take_profit=11.0, stop_loss=9.0)
        async with doing(lambda: book.place_bracket(stock(), legs)) as placing:
            for _ in legs:
                tws.read_request()
            await tws.deliver()
        parent, profit, loss = placing.value
        assert [trade.order.transmit for trade in (parent, profit, loss)] == [True] * 3
        whole = legs.parent
        whole.lmtPrice = 9.6
        for change in (lambda: parent.modify(whole), lambda: profit.modify(lmtPrice=11.5)):
            async with doing(change) as changing:
                assert tws.requests[0]["order"]["transmit"] is True
                tws.read_request()
                await tws.deliver()
            assert isinstance(changing.value, Modified)


async def test_an_order_that_waits_to_be_transmitted_stays_so_when_it_is_changed() -> None:
    tws = Tws()
    async with opened(tws, answer_within=0.05) as (_, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5, transmit=False))
        await settle()
        tws.read_request()
        await tws.deliver()
        async with doing(lambda: trade.modify(lmtPrice=9.6)):
            assert tws.requests.pop()["order"]["transmit"] is False
        async with doing(lambda: trade.modify(transmit=True)):
            assert tws.requests.pop()["order"]["transmit"] is True


async def test_an_order_that_tws_may_not_have_is_not_sent_again_by_a_change() -> None:
    """TWS takes a change of an order that it does not know for a new order."""
    tws = Tws()
    async with opened(tws, answer_within=0.01) as (_, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5))
        assert trade.state == "Unknown"
        tws.requests.clear()
        refused = await trade.modify(lmtPrice=9.6)
        assert isinstance(refused, ModifyRefused)
        assert refused.code is None
        assert "reconcile" in refused.message
        assert not tws.requests


async def test_a_refusal_that_crosses_a_change_is_of_the_order() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            [trade] = book.trades
            async with doing(lambda: trade.modify(lmtPrice=9.6)) as changing:
                tws.requests.clear()
                tws.error(1, 201, "Order rejected - reason:no")
                await tws.deliver()
        assert isinstance(placing.value.outcome, Rejected)
        assert changing.value == Finished("Rejected", Decimal(0))


async def test_a_what_if_order_that_would_be_sent_as_an_order_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    encode = Bridge.encode

    def forgetful(self: Bridge, request: Any, arguments: Any, request_id: int | None = None) -> bytes:
        order = copy.copy(arguments.get("order"))
        if order is not None:
            order.whatIf, arguments = False, {**arguments, "order": order}
        return encode(self, request, arguments, request_id)

    tws = Tws()
    async with opened(tws) as (_, book):
        monkeypatch.setattr(Bridge, "encode", forgetful)
        with pytest.raises(InternalError, match="Nothing was sent"):
            await book.what_if(stock(), limit_order("BUY", 10, 9.5))
        await settle()
        assert not tws.requests


# --- combinations


async def test_the_legs_of_a_combination_are_legs_after_a_restart_too(tmp_path: Path) -> None:
    """Counted as fills of their own they would make a half-filled order a filled one, of which nothing is seen then."""
    path = tmp_path / "j"
    async with open_simulator(port=None) as sim:

        def opening() -> Any:
            return open_client(stream=stream, client_id=3, trading=True, max_server_version=176)

        stream = await sim.connect()
        async with opening() as client:
            aapl, ibm = [(await client.contract_details(contract_of(symbol)))[0].contract for symbol in ("AAPL", "IBM")]
            spread = combo("AAPL,IBM", leg(aapl.conId, "BUY"), leg(ibm.conId, "SELL"))
            async with client.orders(journal=path, recheck=0.0) as book:
                trade = await book.place(spread, market_order("BUY", 2, orderRef="spread"))
                done = await trade.done()
                assert [fill.leg for fill in done.fills] == [False, True, True]
                assert int(done.filled) == 2
        stream = await sim.connect()
        async with opening() as client, client.orders(journal=path, recheck=0.0) as book:
            again = await book.place(spread, market_order("BUY", 2, orderRef="spread"))
            assert [fill.leg for fill in again.fills] == [False, True, True]
            assert int(again.filled_quantity) == 2


# --- the kill switch


async def test_a_kill_without_a_connection_is_remembered(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (client, book):
        await tws.cut()
        with pytest.raises(ConnectionLost):
            await client.wait_closed()
        with pytest.raises(ConnectionLost):
            await book.kill("panic")
        assert book.halted == "panic"
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        assert book.halted == "panic"
        with pytest.raises(TradingHalted, match="panic"):
            await book.place(stock(), market_order("BUY", 1))


async def test_a_kill_says_whether_later_sessions_will_know(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        journal: Any = book._desk.journal
        journal._database.execute(f"PRAGMA max_page_count = {_pages(journal)}")
        journal._database.execute("PRAGMA cache_size = 10")
        report = await book.kill("x" * 100_000)
        assert (report.verified, report.remembered) == (True, False)
        await book.kill("short")
        journal._database.execute("PRAGMA max_page_count = 1000000")
        assert (await book.kill("again")).remembered
    async with opened(Tws(automatic=True)) as (_, book):
        assert (await book.kill()).remembered is False  # there is no journal


def _pages(journal: Any) -> int:
    return int(journal._database.execute("PRAGMA page_count").fetchone()[0])


async def test_a_kill_whose_lists_are_refused_is_not_verified() -> None:
    tws = Tws(automatic=True)
    async with opened(tws) as (_, book):
        tws.refused_open = True
        report = await book.kill()
        assert (report.verified, report.still_open) == (False, ())


async def test_a_kill_in_the_middle_of_placing(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        journal: Any = book._desk.journal
        async with journal._one:  # the order waits to be written down
            async with anyio.create_task_group() as tasks:
                placing = Later()
                tasks.start_soon(placing.run, lambda: book.place(stock(), market_order("BUY", 1)))
                await settle()
                tasks.start_soon(book.kill)
                await settle()
                journal._one.release()
                while not placing.done:
                    await anyio.lowlevel.checkpoint()
                await journal._one.acquire()
                tasks.cancel_scope.cancel()
        assert isinstance(placing.error, TradingHalted)
        assert tws.sent_refs == []


# --- ids


async def test_a_family_does_not_run_into_the_range_of_request_ids() -> None:
    tws = Tws(order_id=1_499_999_998)
    async with opened(tws) as (client, book):
        sent = client.stats().bytes_out
        with pytest.raises(LocalError, match="1500000000"):
            await book.place_bracket(stock(), bracket(limit_order("BUY", 1, 9.5), take_profit=11.0, stop_loss=9.0))
        assert client.stats().bytes_out == sent
        assert book.trades == ()
        await placed(tws, book)
        await placed(tws, book)
        with pytest.raises(LocalError, match="Reset the API order id sequence"):
            await book.place(stock(), market_order("BUY", 1))


@pytest.mark.parametrize("order_id", [1_500_000_000, 2**31 - 1])
async def test_a_sequence_that_has_run_out_places_nothing(order_id: int) -> None:
    tws = Tws(order_id=order_id)
    async with opened(tws) as (_, book):
        with pytest.raises(LocalError, match="Reset the API order id sequence"):
            await book.place(stock(), market_order("BUY", 1))
        assert not tws.requests


# --- two at once


async def test_two_tasks_that_open_a_book_at_once_get_one(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    outcomes: list[str] = []
    refused = anyio.Event()

    async def open_one(client: Any, name: str) -> None:
        try:
            async with client.orders(journal=tmp_path / name, recheck=0.0):
                outcomes.append("opened")
                await refused.wait()
        except anyio.BusyResourceError:
            outcomes.append("busy")
            refused.set()

    async with anyio.create_task_group() as tasks:
        stream = tws.connect(tasks)
        async with open_client(stream=stream, client_id=7, max_server_version=157, trading=True) as client:
            async with anyio.create_task_group() as both:
                both.start_soon(open_one, client, "a")
                both.start_soon(open_one, client, "b")
        tasks.cancel_scope.cancel()
    assert sorted(outcomes) == ["busy", "opened"]
