"""Changes of orders: in flight, refused late, made by hand in TWS, told otherwise than they were sent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.script import settle, stock
from tests.trading.test_book import doing, opened, placed
from tests.trading.tws import Tws
from trio_ibtws import CancelConfirmed, Finished, InvalidRequest, Modified, ModifyRefused, Rejected, Trade, Unknown
from trio_ibtws.orders import limit_order, margin_condition, market_order, with_conditions

pytestmark = pytest.mark.anyio

TEN, ELEVEN, TWELVE = Decimal(10), Decimal(11), Decimal(12)


async def changed(tws: Tws, trade: Trade, **changes: Any) -> Any:
    """Change an order, which TWS accepts."""
    async with doing(lambda: trade.modify(**changes)) as changing:
        tws.read_request()
        await tws.deliver()
    return changing.value


async def test_modify() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        order = tws.orders[trade.order_ref]
        async with doing(lambda: trade.modify(lmtPrice=9.25)) as changing:
            tws.show(order)  # an echo of the order as it was says nothing
            await tws.deliver()
            await settle()
            assert not changing.done
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)
        assert trade.order.lmtPrice == 9.25
        assert order.values["lmtPrice"] == 9.25
        assert len(tws.new_ids) == 1


@pytest.mark.parametrize("code", [105, 110, 201, 321, 462])
async def test_a_refused_change_leaves_the_order_alive(code: int) -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        async with doing(lambda: trade.modify(lmtPrice=9.25)) as changing:
            tws.requests.clear()
            tws.error(1, code, "no")
            await tws.deliver()
        assert changing.value == ModifyRefused(code, "no")
        assert (trade.state, trade.order.lmtPrice) == ("Working", 9.5)


async def test_a_change_of_a_finished_order() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        tws.fill(tws.orders[trade.order_ref], Decimal(10))
        async with doing(lambda: trade.modify(lmtPrice=9.25)) as changing:
            tws.read_request()  # TWS says nothing to it
            await tws.deliver()
        assert changing.value == Finished("Filled", Decimal(10))
        assert await trade.modify(lmtPrice=9.0) == Finished("Filled", Decimal(10))
        assert not tws.requests


async def test_an_impossible_change_is_refused_here() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        with pytest.raises(InvalidRequest) as caught:
            await trade.modify(lmtPrice=float("nan"))
        assert caught.value.field == "order.lmtPrice"
        with pytest.raises(InvalidRequest, match="postOnly"):  # which an older wire would leave out
            await trade.modify(postOnly=True)
        assert not tws.requests
        async with doing(lambda: trade.modify(lmtPrice=9.25)) as changing:  # and it does not wait for those
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)


async def test_the_order_of_an_outcome_is_the_user_s_own() -> None:
    """It is changed and given back, and only then is it another order."""
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        outcome = await changed(tws, trade, lmtPrice=9.25)
        assert isinstance(outcome, Modified)
        outcome.order.lmtPrice = 5.0
        assert trade.order.lmtPrice == 9.25
        async with doing(lambda: trade.modify(outcome.order)) as changing:
            tws.show(tws.orders[trade.order_ref])  # as it was
            await tws.deliver()
            await settle()
            assert not changing.done
            tws.error(1, 110, "no")
            await tws.deliver()
        assert changing.value == ModifyRefused(110, "no")


async def test_a_change_that_only_asks_is_none() -> None:
    """TWS would answer it as a question, and every later change as well."""
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        asking = trade.order
        asking.whatIf = True
        for change in (lambda: trade.modify(whatIf=True), lambda: trade.modify(asking, lmtPrice=9.25)):
            with pytest.raises(InvalidRequest, match="whatIf"):
                await change()
        assert not tws.requests


# --- answers that come late


async def unanswered(trade: Trade, **changes: Any) -> None:
    desk: Any = trade._desk
    patience, desk.answer_within = desk.answer_within, 0.01
    assert isinstance(await trade.modify(**changes), Unknown)
    desk.answer_within = patience


@pytest.mark.parametrize("code", [None, 201])
async def test_a_change_waits_for_the_answer_to_the_one_before_though_nobody_else_does(code: int | None) -> None:
    """What was sent stays sent: the next change brings it along if TWS took it, and is not blamed if TWS did not."""
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: trade.modify(lmtPrice=9.25))
            await settle()
            tasks.cancel_scope.cancel()
        async with doing(lambda: trade.modify(totalQuantity=TWELVE)) as changing:
            [first] = tws.requests
            assert first["order"]["lmtPrice"] == 9.25
            if code is None:
                tws.read_request()
            else:
                tws.requests.clear()
                tws.error(1, code, "no")
            await tws.deliver()
            await settle()
            assert not changing.done
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)
        assert (trade.order.lmtPrice, trade.order.totalQuantity) == (9.25 if code is None else 9.5, TWELVE)
        values = tws.orders[trade.order_ref].values
        assert (values["lmtPrice"], values["totalQuantity"]) == (trade.order.lmtPrice, TWELVE)


async def test_a_change_without_an_answer_is_part_of_the_next_one() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        order = tws.orders[trade.order_ref]
        await unanswered(trade, lmtPrice=9.25)
        await unanswered(trade, totalQuantity=ELEVEN)
        assert [each["order"]["lmtPrice"] for each in tws.requests if "order" in each] == [9.25, 9.25]
        tws.requests.clear()
        async with doing(lambda: trade.modify(totalQuantity=TWELVE, lmtPrice=9.5)) as changing:
            [sent] = tws.requests
            assert (sent["order"]["lmtPrice"], sent["order"]["totalQuantity"]) == (9.5, TWELVE)
            order.values |= {"lmtPrice": 9.25, "totalQuantity": TWELVE}  # as if only the first price were in force
            tws.show(order)
            await tws.deliver()
            await settle()
            assert not changing.done
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)


async def test_a_late_refusal_is_of_the_first_change_and_not_of_the_one_after_it() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        await unanswered(trade, lmtPrice=9.25)
        tws.requests.clear()
        async with doing(lambda: trade.modify(totalQuantity=TWELVE)) as changing:
            tws.error(1, 110, "no")
            await tws.deliver()
            await settle()
            assert not changing.done
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)
        assert trade.order.totalQuantity == TWELVE


async def test_a_refused_change_does_not_take_back_what_was_never_answered() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        for quantity in (TEN, ELEVEN):
            await unanswered(trade, lmtPrice=9.25, totalQuantity=quantity)
        tws.requests.clear()
        tws.error(1, 201, "no")
        await tws.deliver()
        await settle()
        async with doing(lambda: trade.modify(totalQuantity=TWELVE)) as changing:
            [sent] = tws.requests
            assert (sent["order"]["lmtPrice"], sent["order"]["totalQuantity"]) == (9.25, TWELVE)
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)


async def test_a_change_that_is_shown_late_stands_when_the_one_after_it_is_refused() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        await unanswered(trade, lmtPrice=9.25)
        async with doing(lambda: trade.modify(totalQuantity=TWELVE)) as changing:
            tws.read_request()
            tws.requests.clear()
            tws.error(1, 201, "no")
            await tws.deliver()
        assert changing.value == ModifyRefused(201, "no")
        assert (trade.order.lmtPrice, trade.order.totalQuantity) == (9.25, TEN)


async def test_the_refusal_of_a_change_is_none_of_the_cancel_after_it() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        async with doing(lambda: trade.modify(lmtPrice=9.255)) as changing, doing(trade.cancel) as cancelling:
            tws.requests.popleft()
            tws.error(1, 110, "no multiple of the price step")
            await tws.deliver()
            await settle()
            assert not cancelling.done
            tws.read_request()
            await tws.deliver()
        assert changing.value == ModifyRefused(110, "no multiple of the price step")
        assert cancelling.value == CancelConfirmed(Decimal(0))


async def test_a_change_waits_until_tws_has_the_order() -> None:
    """Refused, the order would be placed anew by its change, under a trade that is over."""
    tws = Tws()
    async with opened(tws) as (_, book), doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
        [trade] = book.trades
        async with doing(lambda: trade.modify(lmtPrice=9.6)) as changing:
            assert len(tws.requests) == 1
            tws.requests.clear()
            tws.error(1, 110, "no multiple of the price step")
            await tws.deliver()
        await settle()
        assert not tws.requests
        assert isinstance(placing.value.outcome, Rejected)
        assert changing.value == Finished("Rejected", Decimal(0))


# --- what TWS shows


async def test_what_is_changed_in_tws_by_hand_is_not_taken_back() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        order = tws.orders[trade.order_ref]
        order.values |= {"lmtPrice": 9.1, "totalQuantity": TWELVE}
        tws.show(order)
        await tws.deliver()
        await settle()
        assert (trade.order.lmtPrice, trade.remaining) == (9.1, TWELVE)
        assert isinstance(await changed(tws, trade, tif="GTC"), Modified)
        assert (order.values["lmtPrice"], order.values["totalQuantity"]) == (9.1, TWELVE)


async def test_the_price_of_a_pegged_order_moves_by_itself() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book, limit_order("BUY", 10, 9.5, orderType="REL", auxPrice=0.01))
        order = tws.orders[trade.order_ref]
        cap = order.values
        order.values = cap | {"lmtPrice": 9.33}
        tws.show(order)
        await tws.deliver()
        await settle()
        assert trade.order.lmtPrice == 9.5


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"order": market_order("BUY", 10)}, {"lmtPrice": 0.0, "auxPrice": 0.0, "tif": "DAY"}),
        (
            {"tif": "GTD", "goodTillDate": "20301231-15:00:00"},
            {"goodTillDate": "20301231 10:00:00 US/Eastern"},
        ),
        ({"goodAfterTime": "20301231 10:00:00"}, {"goodAfterTime": "20301231 10:00:00 US/Eastern"}),
    ],
    ids=["no price", "its zone", "no zone"],
)
async def test_tws_shows_a_change_in_its_own_words(changes: dict[str, Any], shown: dict[str, Any]) -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book, limit_order("BUY", 10, 9.5, tif="GTC"))
        order = tws.orders[trade.order_ref]
        async with doing(lambda: trade.modify(**changes)) as changing:
            tws.show(order)
            await tws.deliver()
            await settle()
            assert not changing.done
            order.values = tws.requests.popleft()["order"] | shown
            tws.show(order)
            await tws.deliver()
        assert isinstance(changing.value, Modified)


# --- after a restart


async def something_sent(tws: Tws) -> None:
    with anyio.fail_after(30):
        while not tws.requests:  # noqa: ASYNC110  the journal is written in a thread
            await anyio.sleep(0.001)


async def test_a_change_that_was_refused_is_none_for_the_next_session(tmp_path: Path) -> None:
    """Else what it was to become stays to be traded for ever, or counts as all of it too early."""
    tws, path = Tws(automatic=True), tmp_path / "journal"
    async with opened(tws, journal=path) as (_, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="one"))
        tws.automatic = False
        async with doing(lambda: trade.modify(totalQuantity=Decimal(20))) as changing:
            await something_sent(tws)
            tws.requests.clear()
            tws.error(1, 201, "no")
            await tws.deliver()
        assert changing.value == ModifyRefused(201, "no")
    tws.fill(tws.orders["one"], TEN)
    async with opened(tws, journal=path) as (_, book):
        trade = book.by_ref["one"]
        assert (trade.state, trade.remaining) == ("Filled", Decimal(0))
        assert (await trade.done()).complete


@pytest.mark.parametrize("transmitted", [True, False])
async def test_a_change_is_transmitted_where_the_order_was(transmitted: bool, tmp_path: Path) -> None:
    """TWS does not tell it, and the parent of a bracket is itself sent to be held."""
    tws, path = Tws(automatic=True), tmp_path / "journal"
    async with opened(tws, journal=path) as (_, book):
        parent = limit_order("BUY", 10, 9.5, orderRef="parent", transmit=False)
        child = limit_order("SELL", 10, 11.0, orderRef="child", parentId=-1, transmit=transmitted)
        await book.place_all([(stock(), parent), (stock(), child)])
        await settle()
    async with opened(tws, journal=path) as (_, book):
        tws.automatic = False
        async with doing(lambda: book.by_ref["parent"].modify(lmtPrice=9.6)) as changing:
            await something_sent(tws)
            assert tws.requests[0]["order"]["transmit"] is transmitted
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)


async def test_an_order_that_is_known_in_part_is_not_changed(tmp_path: Path) -> None:
    """The journal keeps no conditions: sent without them, the order would wait for nothing."""
    tws, path = Tws(automatic=True), tmp_path / "journal"
    async with opened(tws, journal=path) as (_, book):
        order = with_conditions(limit_order("BUY", 10, 9.5, orderRef="one"), margin_condition(above=50))
        await book.place(stock(), order)
    tws.fill(tws.orders["one"], Decimal(3))
    tws.refused_open = True
    async with opened(tws, journal=path) as (_, book):
        trade = book.by_ref["one"]
        assert (trade.state, trade.filled_quantity) == ("Working", Decimal(3))
        refused = await trade.modify(lmtPrice=9.25)
        assert isinstance(refused, ModifyRefused)
        assert refused.code is None
        assert not tws.requests
        tws.show(tws.orders["one"])
        await tws.deliver()
        await settle()
        tws.automatic = False
        async with doing(lambda: trade.modify(lmtPrice=9.25)) as changing:
            await something_sent(tws)
            assert tws.requests[0]["order"]["conditions"]
            tws.read_request()
            await tws.deliver()
        assert isinstance(changing.value, Modified)
