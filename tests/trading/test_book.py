"""The order book against a TWS that says what a test wants, when it wants it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest

from tests.script import settle, stock
from tests.trading.tws import CLIENT_ID, Tws
from trio_ibtws import (
    Accepted,
    Alarm,
    CancelConfirmed,
    CancelRefused,
    Client,
    ClientClosed,
    ConnectionLost,
    FillCorrected,
    Finished,
    InvalidRequest,
    ModifyRefused,
    OpenOrder,
    OrderBook,
    Pacer,
    Rejected,
    StateChange,
    Trade,
    TradingDisabled,
    TradingHalted,
    Unknown,
    open_client,
)
from trio_ibtws._runtime._session import Session
from trio_ibtws.orders import bracket, limit_order, market_order
from trio_ibtws.simulator._codec import Message

pytestmark = pytest.mark.anyio

T = TypeVar("T")


@asynccontextmanager
async def opened(
    tws: Tws, *, trading: bool = True, pacer: Pacer | None = None, **options: Any
) -> AsyncGenerator[tuple[Client, OrderBook]]:
    """Give a client and its book."""
    options = {"journal": False, "recheck": 0.0, "answer_within": 60.0, "drain_within": 0.05} | options
    async with anyio.create_task_group() as tasks:
        stream = tws.connect(tasks)
        async with (
            open_client(
                stream=stream, client_id=CLIENT_ID, max_server_version=157, trading=trading, pacer=pacer
            ) as client,
            client.orders(**options) as book,
        ):
            yield client, book
        await tws.cut()
        tasks.cancel_scope.cancel()


class Later:
    """What a task came to."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = False

    async def run(self, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.value = await call()
        except Exception as exc:
            self.error = exc
        self.done = True


@asynccontextmanager
async def doing(call: Callable[[], Awaitable[Any]]) -> AsyncGenerator[Later]:
    """Run *call* beside the block, which ends when it has ended."""
    later = Later()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(later.run, call)
        await settle()
        yield later


async def placed(tws: Tws, book: OrderBook, order: Any = None) -> Trade:
    """Place an order that TWS accepts."""
    async with doing(lambda: book.place(stock(), order or limit_order("BUY", 10, 9.5))) as placing:
        tws.read_request()
        await tws.deliver()
    trade = placing.value
    assert isinstance(trade, Trade)
    return trade


# --- placing


async def test_accepted() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            assert not placing.done
            tws.read_request()
            await tws.deliver(1)
        trade = placing.value
        assert trade.outcome == Accepted(1, 900_001, trade.order_ref)
        assert (trade.state, trade.status, trade.remaining) == ("Working", "PreSubmitted", 10)
        assert trade.order.orderId == 1
        assert book.open_trades == (trade,)


@pytest.mark.parametrize("code", [103, 110, 200, 201, 321, 434, 10255, 99999])
async def test_rejected_whatever_the_code(code: int) -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            tws.requests.clear()
            tws.error(1, code, "no")
            await tws.deliver()
        trade = placing.value
        assert trade.outcome == Rejected(1, code, "no")
        assert trade.state == "Rejected"
        assert (await trade.done()).state == "Rejected"


@pytest.mark.parametrize("code", [0, 399, 404, 10349, 2109, 2137])
async def test_a_warning_changes_nothing(code: int) -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        tws.error(1, code, "Warning: mind")
        tws.fill(tws.orders[trade.order_ref], Decimal(10))
        async with doing(trade.done) as done:
            await tws.deliver()
        assert done.value.state == "Filled"
        assert [notice.code for notice in trade.notices] == [code]


async def test_an_inactive_order_that_is_then_refused_is_rejected() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            tws.read_request()
            tws.outgoing.clear()
            order = tws.orders[book.trades[0].order_ref]
            order.status = "Inactive"
            tws.show(order)
            await tws.deliver()
            await settle()
            assert not placing.done
            tws.error(1, 201, "no")
            await tws.deliver()
        assert placing.value.state == "Rejected"
        assert isinstance(placing.value.outcome, Rejected)


async def test_a_code_alone_does_not_end_an_order_that_tws_works() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        tws.error(1, 201, "no")
        await tws.deliver()
        await settle()
        assert trade.state == "Working"
        tws.orders[trade.order_ref].status = "Inactive"
        tws.show(tws.orders[trade.order_ref])
        async with doing(trade.done) as done:
            await tws.deliver()
        assert done.value.state == "Rejected"


async def test_a_rejected_order_that_lives_is_seen_to_live() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            tws.error(1, 110, "no")
            tws.read_request()
            await tws.deliver()
            await settle()
        trade = placing.value
        await settle()
        assert isinstance(trade.outcome, Rejected)
        assert trade.state == "Working"
        async with trade.events() as events:
            kinds = [type(event) for event in await events.receive_batch()]
        assert Alarm in kinds


async def test_no_word_is_unknown_and_never_sent_again() -> None:
    tws = Tws()
    async with opened(tws, answer_within=0.05) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            tws.requests.clear()
        trade = placing.value
        assert isinstance(trade.outcome, Unknown)
        assert trade.state == "Unknown"
        found = await book.reconcile()
        assert found.not_found == (trade,)
        assert trade.state == "NotFound"
        assert await trade.cancel() == Finished("NotFound", Decimal(0))
        assert tws.sent_refs == []
        assert not tws.requests


class Silent(Tws):
    """It takes every order, and says nothing of it before it is asked."""

    def _take(self, request: Message) -> None:
        super()._take(request)
        while self.requests:
            self.read_request()
        self.outgoing.clear()


async def test_a_silent_order_is_found_among_the_open_ones() -> None:
    async with opened(Silent(), answer_within=0.05) as (_, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5))
        assert isinstance(trade.outcome, Accepted)


async def test_a_list_that_is_refused_settles_nothing() -> None:
    tws = Tws()
    tws.refused_lists = True
    async with opened(tws, answer_within=0.05) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            tws.requests.clear()
        found = await book.reconcile()
        assert found.unknown == (placing.value,)
        assert found.refused == ("completed_orders",)
        assert placing.value.state == "Unknown"


async def test_the_end_of_the_session_is_unknown() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.place(stock(), limit_order("BUY", 10, 9.5))) as placing:
            await tws.cut()
        trade = placing.value
        assert isinstance(trade.outcome, Unknown)
        assert "lost" in trade.outcome.reason
        with pytest.raises(ConnectionLost):
            await trade.done()
        assert isinstance(await trade.cancel(), Unknown)
        assert isinstance(await trade.modify(lmtPrice=1.0), Unknown)
        with pytest.raises(ConnectionLost):
            await book.place(stock(), limit_order("BUY", 10, 9.5))


async def test_cancelling_who_waits_never_cancels_the_order() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(book.place, stock(), limit_order("BUY", 10, 9.5, orderRef="mine"))
            await settle()
            tasks.cancel_scope.cancel()
        trade = book.by_ref["mine"]
        tws.read_request()
        await tws.deliver()
        await settle()
        assert trade.state == "Working"
        for wait in (trade.done, trade.filled):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await settle()
                tasks.cancel_scope.cancel()
        assert not tws.requests
        assert [order.status for order in tws.orders.values()] == ["PreSubmitted"]


# --- a reference is placed once


async def test_the_same_reference_gives_the_same_trade() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        order = limit_order("BUY", 10, 9.5, orderRef="once")
        first = await placed(tws, book, order)
        assert await book.place(stock(), order) is first
        assert tws.sent_refs == ["once"]
        with pytest.raises(InvalidRequest) as caught:
            await book.place(stock(), limit_order("BUY", 10, 9.6, orderRef="once"))
        assert caught.value.field == "order.orderRef"


async def test_two_tasks_with_one_reference_place_once() -> None:
    tws = Tws(automatic=True)
    async with opened(tws) as (_, book), anyio.create_task_group() as tasks:
        trades: list[Trade] = []

        async def place() -> None:
            trades.append(await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef="once")))

        for _ in range(5):
            tasks.start_soon(place)
    assert len(set(trades)) == 1
    assert tws.sent_refs == ["once"]


@pytest.mark.parametrize("reference", ["x" * 21, "a\nb"])
async def test_a_reference_that_tws_would_not_give_back_is_refused(reference: str) -> None:
    async with opened(Tws()) as (_, book):
        with pytest.raises(InvalidRequest) as caught:
            await book.place(stock(), limit_order("BUY", 10, 9.5, orderRef=reference))
        assert caught.value.field == "order.orderRef"


# --- fills


async def test_fills_come_late_double_and_corrected_and_count_once() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        order = tws.orders[trade.order_ref]
        tws.fill(order, Decimal(4))
        first = list(tws.outgoing)
        tws.fill(order, Decimal(6))
        second = list(tws.outgoing)[len(first) :]
        tws.correct(order, order.executions[0], 9.9)
        correction = list(tws.outgoing)[len(first) + len(second) :]
        execution, status, charge = second
        tws.outgoing.clear()
        tws.outgoing += [charge, status, *first, first[0], execution, *correction, first[0], execution]
        async with doing(trade.done) as done:
            await tws.deliver()
        assert done.value.complete
        assert [(fill.exec_id[-5:], int(fill.quantity), fill.price) for fill in trade.fills] == [
            ("01.02", 4, 9.9),
            ("02.01", 6, 10.0),
        ]
        assert all(fill.commission is not None for fill in trade.fills)
        assert trade.average_price == pytest.approx(9.96)
        async with trade.events() as events:
            assert sum(isinstance(event, FillCorrected) for event in await events.receive_batch()) == 1


async def test_what_does_not_come_is_asked_for() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        tws.fill(tws.orders[trade.order_ref], Decimal(10))
        status = tws.outgoing[1]
        tws.outgoing.clear()
        tws.outgoing.append(status)
        async with doing(trade.done) as done:
            await tws.deliver()
        assert done.value.complete
        assert trade.filled_quantity == 10


async def test_the_stream_of_a_trade_has_everything_from_the_beginning() -> None:
    tws = Tws()
    async with opened(tws) as (client, book):
        trade = await placed(tws, book)
        tws.fill(tws.orders[trade.order_ref], Decimal(10))
        async with book.events() as all_events:
            await tws.deliver()
            await settle()
            assert {pair[0] for pair in await all_events.receive_batch()} == {trade}
        async with trade.events() as events, client.order_events() as raw:
            changes = [event for event in await events.receive_batch() if isinstance(event, StateChange)]
            assert [change.after for change in changes] == ["Working", "Filled"]
            assert isinstance(await raw.receive(), OpenOrder)  # nothing was taken from the user


# --- cancel


async def test_cancel_confirmed_and_refused() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        tws.fill(tws.orders[trade.order_ref], Decimal(4))
        async with doing(trade.cancel) as cancelling:
            tws.read_request()
            await tws.deliver()
        assert cancelling.value == CancelConfirmed(Decimal(4))
        assert await trade.cancel() == Finished("Cancelled", Decimal(4))
        assert not tws.requests


@pytest.mark.parametrize("code", [161, 10147, 10148, 321, 10999])
async def test_a_cancel_that_tws_refuses_is_an_outcome(code: int) -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        async with doing(trade.cancel) as cancelling:
            tws.requests.clear()
            tws.error(1, code, "no")
            await tws.deliver()
        assert cancelling.value == CancelRefused(code, "no")
        assert trade.state == "Working"


async def test_a_fill_that_crosses_the_cancel() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        tws.fill(tws.orders[trade.order_ref], Decimal(10))
        async with doing(trade.cancel) as cancelling:
            tws.read_request()
            await tws.deliver()
        assert cancelling.value == Finished("Filled", Decimal(10))


async def test_the_last_fill_after_the_cancel_was_confirmed() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book)
        order = tws.orders[trade.order_ref]
        tws.cancel(order)
        await tws.deliver()
        tws.fill(order, Decimal(10))
        await tws.deliver()
        await settle()
        assert trade.state == "Filled"
        assert trade.filled_quantity == 10


async def test_orders_of_others_are_not_ours_to_cancel() -> None:
    tws = Tws()
    async with opened(tws, scope="all") as (_, book):
        tws.outgoing.append(
            tws.encoded(
                "openOrder",
                orderId=3,
                contract={"symbol": "MSFT", "secType": "STK"},
                order={"action": "BUY", "totalQuantity": 5, "orderType": "MKT", "clientId": 2, "permId": 77},
                orderState={"status": "Submitted"},
            )
        )
        await tws.deliver()
        await settle()
        [trade] = book.trades
        assert (trade.client_id, trade.order_id, trade.state) == (2, 3, "Working")
        refused = await trade.cancel()
        assert isinstance(refused, CancelRefused)
        assert refused.code is None
        assert isinstance(await trade.modify(totalQuantity=Decimal(1)), ModifyRefused)
        assert not tws.requests


# --- several orders


async def test_a_bracket_is_one() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        legs = bracket(limit_order("BUY", 10, 9.5), take_profit=11.0, stop_loss=9.0, tif="GTC")
        async with doing(lambda: book.place_bracket(stock(), legs)) as placing:
            sent = [dict(request) for request in tws.requests]
            for _ in range(3):
                tws.read_request()
            await tws.deliver()
        assert [(each["orderId"], each["order"]["parentId"], each["order"]["transmit"]) for each in sent] == [
            (1, 0, False),
            (2, 1, False),
            (3, 1, True),
        ]
        parent, profit, loss = placing.value
        assert {trade.state for trade in (parent, profit, loss)} == {"Working"}
        assert (profit.order.action, loss.order.orderType) == ("SELL", "STP")


async def test_a_bracket_with_one_bad_leg_sends_nothing() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        legs = bracket(limit_order("BUY", 10, 9.5), take_profit=11.0, stop_loss=9.0)
        legs.stop_loss.auxPrice = float("nan")
        with pytest.raises(InvalidRequest):
            await book.place_bracket(stock(), legs)
        assert not tws.requests
        assert book.trades == ()


# --- the kill switch


async def test_the_kill_switch() -> None:
    tws = Tws(automatic=True)
    async with opened(tws) as (client, book):
        trade = await book.place(stock(), limit_order("BUY", 10, 9.5))
        report = await book.kill("enough")
        assert report.verified
        assert trade.state == "Cancelled"
        with pytest.raises(TradingHalted, match="enough"):
            await book.place(stock(), limit_order("BUY", 10, 9.5))
        with pytest.raises(TradingHalted):
            async with client.place_order(stock(), limit_order("BUY", 10, 9.5)):
                pass
        assert len(tws.sent_refs) == 1
        await book.resume()
        await book.place(stock(), limit_order("BUY", 10, 9.5))
        assert len(tws.sent_refs) == 2


class FewOrders(Pacer):
    """It lets a few orders pass, and what comes after a halt."""

    session: Session | None = None
    left = 40

    def delay(self, now: float) -> float:
        if self.session is None or self.session.halted is not None or self.left > 0:
            return 0.0
        return 0.001  # it is asked again then

    def record(self, now: float) -> None:
        self.left -= self.session is not None


async def test_the_kill_switch_takes_back_what_is_unwritten() -> None:
    tws, pacer = Tws(automatic=True), FewOrders()
    async with opened(tws, pacer=pacer) as (client, book):
        pacer.session = client._connection.session
        failures: list[BaseException] = []

        async def place() -> None:
            try:
                await book.place(stock(), limit_order("BUY", 10, 9.5))
            except TradingHalted as exc:
                failures.append(exc)

        book.limits = type(book.limits)(max_open_orders=None, max_orders_per_minute=None)
        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(place)
            await settle()
            report = await book.kill()
        assert 0 < len(report.taken_back) <= len(failures)
        assert len(failures) > 50
        assert len(tws.sent_refs) == 200 - len(failures)
        assert all(order.status == "Cancelled" for order in tws.orders.values())
        assert client.stats().unsent_frames == 0


async def test_the_halt_outlives_the_process(tmp_path: Path) -> None:
    tws = Tws(automatic=True)
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        await book.kill("enough")
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        assert book.halted == "enough"
        await book.resume()
    async with opened(tws, journal=tmp_path / "j") as (_, book):
        assert book.halted is None


# --- what a book is


async def test_a_client_has_one_book_at_a_time() -> None:
    tws = Tws(automatic=True)
    async with opened(tws) as (client, _):
        with pytest.raises(anyio.BusyResourceError):
            async with client.orders(journal=False):
                pass


async def test_a_book_without_trading_only_looks() -> None:
    tws = Tws(automatic=True)
    async with opened(tws) as (_, book):
        await book.place(stock(), limit_order("BUY", 10, 9.5))
    async with opened(tws, trading=False, journal=True) as (_, book):
        [trade] = book.trades
        assert trade.state == "Working"
        for refused in (lambda: book.place(stock(), market_order("BUY", 1)), trade.cancel, book.kill):
            with pytest.raises(TradingDisabled):
                await refused()


async def test_a_closed_book_says_so() -> None:
    tws = Tws(automatic=True)
    async with opened(tws) as (client, _):
        pass
    async with anyio.create_task_group() as tasks:
        async with open_client(stream=tws.connect(tasks), client_id=7, max_server_version=157, trading=True) as client:
            async with client.orders(journal=False, recheck=0.0) as book:
                trade = await book.place(stock(), limit_order("BUY", 10, 9.5))
            with pytest.raises(ClientClosed, match="book"):
                await trade.done()
            with pytest.raises(ClientClosed, match="book"):
                await book.place(stock(), limit_order("BUY", 10, 9.5))
            async with client.orders(journal=False, recheck=0.0) as again:
                assert [each.order_id for each in again.open_trades] == [trade.order_id]
        tasks.cancel_scope.cancel()
