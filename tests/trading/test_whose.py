"""Whose order is it: references that come again, in another client, another day or another process."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from tests.peer import TEXT
from tests.script import settle, stock
from tests.sessions import ready_session, sent
from tests.trading.test_book import doing, opened, placed
from tests.trading.tws import CLIENT_ID, Order, Tws
from trio_ibtws import Accepted, Alarm, InvalidRequest, OrderBook, Trade
from trio_ibtws._gen.requests_orders import PLACE_ORDER
from trio_ibtws._runtime._sinks import Buffer
from trio_ibtws.orders import Action, limit_order, market_order
from trio_ibtws.simulator._codec import decode_request

pytestmark = pytest.mark.anyio

OTHER = 99


def at_tws(tws: Tws, ref: str, *, order_id: int = 40, client_id: int = CLIENT_ID, action: Action = "SELL") -> Order:
    """Have an order in TWS's ledger that no book of these tests placed."""
    session = ready_session(TEXT)
    order = limit_order(action, 5, 11.0, orderRef=ref)
    session.place(PLACE_ORDER, {"contract": stock(), "order": order}, Buffer(10))
    [frame] = sent(session)
    tws._perm_ids += 1
    made = Order({**decode_request(frame, TEXT).values, "orderId": order_id}, tws._perm_ids)
    made.client_id = client_id
    tws.orders[f"{client_id}:{ref}"] = made
    return made


async def shown(tws: Tws, order: Order) -> None:
    tws.show(order)
    await tws.deliver()
    await settle()


async def placed_as(tws: Tws, book: OrderBook, ref: str) -> Trade:
    return await placed(tws, book, limit_order("BUY", 10, 9.5, orderRef=ref))


async def test_the_reference_of_another_client_is_no_order_of_ours() -> None:
    tws = Tws()
    foreign = at_tws(tws, "open", client_id=OTHER)
    async with opened(tws, scope="all") as (_, book):
        assert [trade.client_id for trade in book.trades] == [OTHER]
        assert dict(book.by_ref) == {}
        trade = await placed_as(tws, book, "open")
        assert (trade.client_id, trade.outcome) == (CLIENT_ID, Accepted(trade.order_id, trade.perm_id, "open"))
        assert trade.perm_id != foreign.perm_id
        assert book.by_ref["open"] is trade
        tws.fill(foreign, Decimal(5))
        await tws.deliver()
        await settle()
        assert trade.fills == ()
        assert [(each.client_id, int(each.filled_quantity)) for each in book.trades] == [(OTHER, 5), (CLIENT_ID, 0)]


async def test_a_fill_of_an_earlier_order_with_the_same_reference_is_not_of_this_one() -> None:
    """Without a journal a reference may come again on the same day; TWS tells the fills of both."""
    tws = Tws()
    earlier = at_tws(tws, "open", order_id=1)
    tws.fill(earlier, Decimal(5))
    tws.outgoing.clear()
    tws.next_valid_id = 2
    async with opened(tws) as (_, book):
        trade = await placed_as(tws, book, "open")
        await book.reconcile()
        assert trade.fills == ()
        assert trade.state == "Working"
        tws.fill(tws.orders["open"], Decimal(10))
        await tws.deliver()
        done = await trade.done()
        assert (int(done.filled), len(done.fills)) == (10, 1)
        assert trade.perm_id == tws.orders["open"].perm_id != earlier.perm_id


async def test_a_fill_that_comes_before_anything_else_of_an_earlier_order() -> None:
    """The new order has no permanent id yet, so that only its number tells it from the old one."""
    tws = Tws()
    earlier = at_tws(tws, "open", order_id=1)
    tws.next_valid_id = 2
    tws.orders.clear()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="open"))) as placing:
            tws.fill(earlier, Decimal(5))
            await tws.deliver()
            await settle()
            tws.read_request()
            await tws.deliver()
        trade = placing.value
        assert trade.fills == ()
        assert (trade.order_id, trade.perm_id) == (2, tws.orders["open"].perm_id)


async def test_a_second_live_order_with_the_reference_of_ours_is_an_alarm() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed_as(tws, book, "open")
        async with trade.events() as events:
            await shown(tws, at_tws(tws, "open", order_id=40))
            heard = await events.receive_batch()
        assert any(isinstance(event, Alarm) and "40" in event.message for event in heard)
        assert [each.order_id for each in book.trades] == [1, 40]
        assert book.by_ref["open"] is trade


async def test_an_order_of_a_lost_journal_is_the_same_only_if_it_looks_the_same() -> None:
    tws = Tws()
    at_tws(tws, "open", order_id=1)
    tws.next_valid_id = 2
    async with opened(tws) as (_, book):
        for other in (
            market_order("SELL", 5, orderRef="open"),
            limit_order("BUY", 5, 11.0, orderRef="open"),
            limit_order("SELL", 6, 11.0, orderRef="open"),
        ):
            with pytest.raises(InvalidRequest, match="the reference of another order"):
                await book.place(stock(), other)
        with pytest.raises(InvalidRequest, match="the reference of another order"):
            await book.place(stock("IBM"), limit_order("SELL", 5, 11.0, orderRef="open"))
        same = await book.place(stock(), limit_order("SELL", 5, 11.0, orderRef="open"))
        assert same.order_id == 1
        assert not tws.requests


@pytest.mark.parametrize("filled", [0, 5])
async def test_a_completed_order_of_another_client_is_not_ours(filled: int, tmp_path: Path) -> None:
    """A list of completed orders says neither client nor number: a reference alone is not enough."""
    tws = Tws()
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="open"))):
            while not tws.requests:
                await anyio.lowlevel.checkpoint()
            await tws.cut()  # and TWS never read it
    tws.orders.clear()
    foreign = at_tws(tws, "open", client_id=OTHER, action="BUY" if filled else "SELL")
    if filled:
        tws.fill(foreign, Decimal(filled))
    else:
        tws.cancel(foreign)
    tws.outgoing.clear()
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        assert book.by_ref["open"].state == "NotFound"
